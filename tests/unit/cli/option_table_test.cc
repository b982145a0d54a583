#include "option_table.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foreign_options.h"

namespace hbk::cli {
namespace {

TEST(OptionTableTest, NamesAndLettersAreUnique) {
  std::set<std::string_view> names;
  std::set<char> letters;
  for (const OptionSpec& spec : OptionTable()) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    EXPECT_TRUE(spec.letter == 0 || letters.insert(spec.letter).second) << spec.name;
    EXPECT_NE(spec.commands, 0U) << spec.name;
    EXPECT_FALSE(spec.help.empty()) << spec.name;
  }
}

TEST(OptionTableTest, NoOptionIsAlsoForeign) {
  for (const OptionSpec& spec : OptionTable())
    EXPECT_EQ(FindForeignOption(spec.name), nullptr) << spec.name;
}

TEST(OptionTableTest, UnderscoreIsDash) {
  EXPECT_EQ(ResolveOptionName("target_dir").spec, &SpecOf(Opt::kTargetDir));
  EXPECT_EQ(ResolveOptionName("innodb_data-home_dir").spec, &SpecOf(Opt::kInnodbDataHomeDir));
}

TEST(OptionTableTest, PrefixesTurnFlagsOnAndOff) {
  EXPECT_EQ(ResolveOptionName("skip-ssl").spec, &SpecOf(Opt::kSsl));
  EXPECT_TRUE(ResolveOptionName("skip-ssl").is_negated);
  EXPECT_TRUE(ResolveOptionName("disable_ssl").is_negated);
  EXPECT_EQ(ResolveOptionName("enable-ssl").spec, &SpecOf(Opt::kSsl));
  EXPECT_FALSE(ResolveOptionName("enable-ssl").is_negated);
  EXPECT_EQ(ResolveOptionName("skip-port").spec, nullptr);
}

TEST(OptionTableTest, LooseIsKeptForTheCaller) {
  const OptionName known = ResolveOptionName("loose_skip_ssl");
  EXPECT_EQ(known.spec, &SpecOf(Opt::kSsl));
  EXPECT_TRUE(known.is_negated);

  const OptionName unknown = ResolveOptionName("loose-foo");
  EXPECT_EQ(unknown.spec, nullptr);
  EXPECT_TRUE(unknown.is_loose);
  EXPECT_EQ(unknown.normalized, "foo");
}

TEST(OptionTableTest, FindsTheNameThatWasMeant) {
  EXPECT_EQ(NearestOptionName("taget-dir"), "target-dir");
  EXPECT_EQ(NearestOptionName("pasword"), "password");
  EXPECT_EQ(NearestOptionName("something-else"), "");
  EXPECT_EQ(NearestOptionName(std::string(100000, 'x')), "");
}

TEST(OptionTableTest, EnvironmentNameIsUpperCase) {
  EXPECT_EQ(EnvironmentName(SpecOf(Opt::kTargetDir)), "HBK_TARGET_DIR");
}

TEST(OptionTableTest, CommandsAreFoundByName) {
  for (const Command command : kCommands) {
    const Command* found = FindCommand(CommandName(command));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(*found, command);
  }
  EXPECT_EQ(FindCommand("back"), nullptr);
  EXPECT_EQ(FindCommand(""), nullptr);
}

}  // namespace
}  // namespace hbk::cli
