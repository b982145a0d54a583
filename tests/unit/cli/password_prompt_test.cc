#include "password_prompt.h"

#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>

#include "child_process.h"

namespace hbk::cli {
namespace {

// What the child sees of AskPassword when `keys` are typed on its terminal, and what the terminal
// shows.
struct Typed {
  std::string answer;
  std::string shown;
};

Typed Type(const std::string& keys) {
  int answer[2];
  if (pipe(answer) != 0) return {};
  int terminal = -1;
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (pid == 0) {
    const Result<Secret> password = AskPassword("Password? ", "HBK_PASSWORD");
    const std::string text =
        password.ok() ? "=" + password->Reveal() : password.status().ToString();
    _exit(write(answer[1], text.data(), text.size()) > 0 ? 0 : 1);
  }
  close(answer[1]);
  Typed typed;
  char c = 0;
  bool is_typed = false;
  // Only when the prompt stands there is the terminal silent.
  while (read(terminal, &c, 1) == 1) {
    typed.shown += c;
    if (!is_typed && typed.shown.ends_with("? ")) {
      is_typed = write(terminal, keys.data(), keys.size()) > 0;
    }
  }
  while (read(answer[0], &c, 1) == 1)
    typed.answer += c;
  close(answer[0]);
  close(terminal);
  waitpid(pid, nullptr, 0);
  return typed;
}

class PasswordPromptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0) {
      GTEST_SKIP() << "no pseudo-terminals here: a chroot without /dev/pts";
    }
    close(terminal);
  }
};

TEST_F(PasswordPromptTest, TypedPasswordIsNotShown) {
  const Typed typed = Type("s3cret\n");

  EXPECT_EQ(typed.answer, "=s3cret");
  EXPECT_EQ(typed.shown, "Password? \r\n");
}

TEST_F(PasswordPromptTest, KeysEdit) {
  EXPECT_EQ(Type("abx\x7f"
                 "c\n")
                .answer,
            "=abc");
  EXPECT_EQ(Type("wrong\x15right\n").answer, "=right");
  EXPECT_EQ(Type("\n").answer, "=");
}

TEST_F(PasswordPromptTest, CtrlCInterrupts) {
  EXPECT_EQ(Type("ab\x03").answer, "interrupted: interrupted");
}

TEST_F(PasswordPromptTest, WithoutTerminalItIsAUsageError) {
  const ChildResult child = RunInChild([] {
    setsid();  // no controlling terminal any more
    return AskPassword("Password? ", "HBK_PASSWORD").status().code() == StatusCode::kUsage ? 0 : 1;
  });

  EXPECT_EQ(child.exit_code, 0);
}

}  // namespace
}  // namespace hbk::cli
