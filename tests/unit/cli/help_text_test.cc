#include "help_text.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::cli {
namespace {

// tests/golden/cli of the source tree, found from this file.
std::string GoldenDirectory() {
  const std::string file = __FILE__;
  return file.substr(0, file.rfind("/tests/unit/")) + "/tests/golden/cli";
}

// HBK_UPDATE_GOLDEN=1 writes the file instead.
void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = GoldenDirectory() + "/" + name;
  const char* update = std::getenv("HBK_UPDATE_GOLDEN");  // NOLINT(concurrency-mt-unsafe)
  if (update != nullptr && std::string(update) == "1") std::ofstream(path) << text;
  std::ifstream file(path);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, golden) << path << "\nto accept the new text: HBK_UPDATE_GOLDEN=1 unit_cli";
}

TEST(HelpTextTest, GeneralHelpIsTheGoldenText) {
  ExpectGolden("help.txt", HelpText(std::nullopt));
}

TEST(HelpTextTest, HelpOfEachCommandIsTheGoldenText) {
  for (const Command command : kCommands)
    ExpectGolden("help-" + std::string(CommandName(command)) + ".txt", HelpText(command));
}

TEST(HelpTextTest, LinesFitIntoAHundredColumns) {
  for (const Command command : kCommands) {
    std::string text = HelpText(command);
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      EXPECT_LE(end - begin, 100U) << text.substr(begin, end - begin);
      begin = end + 1;
    }
  }
}

TEST(HelpTextTest, EveryOptionOfACommandIsInItsHelp) {
  for (const Command command : kCommands) {
    const std::string text = HelpText(command);
    for (const OptionSpec& spec : OptionTable()) {
      const bool is_there = text.find("--" + std::string(spec.name)) != std::string::npos;
      EXPECT_TRUE(is_there || !spec.AppliesTo(command)) << spec.name;
    }
  }
}

TEST(HelpTextTest, VersionIsThatOfTheBuild) {
  const std::string file = __FILE__;
  std::ifstream cmake(file.substr(0, file.rfind("/tests/unit/")) + "/CMakeLists.txt");
  const std::string text{std::istreambuf_iterator<char>(cmake), {}};
  std::string version = VersionText();  // "hbk 0.1.0\n"
  version.erase(0, 4);
  version.pop_back();

  EXPECT_THAT(text, ::testing::HasSubstr("project(hbk VERSION " + version + " "));
}

}  // namespace
}  // namespace hbk::cli
