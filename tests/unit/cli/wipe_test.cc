#include "wipe.h"

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>

namespace hbk::cli {
namespace {

constexpr const char* kChildVariable = "HBK_TEST_WIPE_CHILD";

// This program again, as a child that wipes its arguments before anything else runs and prints
// what others now see of them. A constructor gets the real argv, main() of gmock does not give it.
__attribute__((constructor)) void ActAsChild(int argc, char** argv) {
  if (std::getenv(kChildVariable) == nullptr) return;  // NOLINT(concurrency-mt-unsafe)
  WipePasswordArguments(argc, argv);
  std::array<char, 4096> text{};
  const int fd = open("/proc/self/cmdline", O_RDONLY);
  const ssize_t got = read(fd, text.data(), text.size());
  const bool is_written =
      got > 0 && write(STDOUT_FILENO, text.data(), static_cast<size_t>(got)) > 0;
  _exit(is_written ? 0 : 1);
}

// /proc/PID/cmdline of a child with these arguments after it has wiped them; NUL as '|'.
std::string SeenByOthers(std::vector<std::string> words) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  words.insert(words.begin(), "self");
  std::vector<char*> argv;
  for (std::string& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  std::string variable = std::string(kChildVariable) + "=1";
  std::array<char*, 2> environment = {variable.data(), nullptr};
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string seen;
  char c = 0;
  while (error == 0 && read(ends[0], &c, 1) == 1)
    seen += c == '\0' ? '|' : c;
  close(ends[0]);
  if (error == 0) waitpid(pid, nullptr, 0);
  return seen;
}

TEST(WipeTest, PasswordsAreGoneFromTheProcessList) {
  EXPECT_EQ(SeenByOthers({"backup", "-psecret", "-u", "me"}), "self|backup|-px||||||-u|me|");
  EXPECT_EQ(SeenByOthers({"--password=abc", "-p"}), "self|--password=x|||-p|");
  EXPECT_EQ(SeenByOthers({"--loose_password=abc", "--pasword=abc", "--passwd="}),
            "self|--loose_password=x|||--pasword=x|||--passwd=|");
}

TEST(WipeTest, SecretsOfKeysAreGoneFromTheProcessList) {
  EXPECT_EQ(
      SeenByOthers({"--file-key-management-filekey=abc", "--hashicorp_key_management_token=abc"}),
      "self|--file-key-management-filekey=x|||--hashicorp_key_management_token=x|||");
  EXPECT_EQ(SeenByOthers({"--file_key_management_filekey", "abc", "prepare"}),
            "self|--file_key_management_filekey|x|||prepare|");
  EXPECT_EQ(SeenByOthers({"--file_key_management_filekey"}), "self|--file_key_management_filekey|");
}

TEST(WipeTest, KeysOfTheBackupAreGoneFromTheProcessList) {
  EXPECT_EQ(SeenByOthers({"key", "--encrypt-key=abc", "--new_key", "abc", "--new-key-command=abc"}),
            "self|key|--encrypt-key=x|||--new_key|x|||--new-key-command=x|||");
  EXPECT_EQ(SeenByOthers({"--encrypt-passphrase=abc", "--encrypt-passphrase-file=/p",
                          "--encrypt-key-file=/k", "--new-key-file", "/n"}),
            "self|--encrypt-passphrase=x|||--encrypt-passphrase-file=/p|--encrypt-key-file=/k|"
            "--new-key-file|/n|");
}

// An address of a service that takes alarms is often all that is needed to send some.
TEST(WipeTest, TheCommandForFailuresIsGoneFromTheProcessList) {
  EXPECT_EQ(SeenByOthers({"--on-failure=abc", "--on_failure", "abc", "backup"}),
            "self|--on-failure=x|||--on_failure|x|||backup|");
}

TEST(WipeTest, OtherWordsStay) {
  EXPECT_EQ(SeenByOthers({"--target-dir=/pass=word", "--port=3306", "-P3306", "password=x"}),
            "self|--target-dir=/pass=word|--port=3306|-P3306|password=x|");
}

TEST(WipeTest, WipedTextIsEmptyAndItsBytesAreZero) {
  std::string text = "a password that is longer than the small string buffer";
  const char* bytes = text.data();

  WipeText(text);

  EXPECT_TRUE(text.empty());
  EXPECT_EQ(bytes[1], '\0');
}

TEST(WipeTest, WipedVariableIsGone) {
  setenv("HBK_TEST_SECRET", "abc", 1);                 // NOLINT(concurrency-mt-unsafe)
  const char* value = std::getenv("HBK_TEST_SECRET");  // NOLINT(concurrency-mt-unsafe)

  WipeEnvironment("HBK_TEST_SECRET");

  EXPECT_EQ(value[0], '\0');
  EXPECT_EQ(std::getenv("HBK_TEST_SECRET"), nullptr);  // NOLINT(concurrency-mt-unsafe)
  WipeEnvironment("HBK_TEST_SECRET");                  // a missing one is fine
}

}  // namespace
}  // namespace hbk::cli
