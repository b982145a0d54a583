#include "option_values.h"

#include <map>
#include <string>

#include "tests/support/status_matchers.h"

namespace hbk::cli {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Status SetText(OptionValues& values, Opt id, std::string_view value,
               SettingRank rank = SettingRank::kCommandLine) {
  return values.Set(SpecOf(id), value, false, rank, "test");
}

TEST(OptionValuesTest, NumbersTakeSuffixes) {
  EXPECT_EQ(ParseNumber("0"), 0U);
  EXPECT_EQ(ParseNumber("12k"), 12U << 10);
  EXPECT_EQ(ParseNumber("12M"), 12U << 20);
  EXPECT_EQ(ParseNumber("3G"), 3ULL << 30);
  EXPECT_EQ(ParseNumber("1t"), 1ULL << 40);
  EXPECT_EQ(ParseNumber("18446744073709551615"), UINT64_MAX);
}

TEST(OptionValuesTest, OtherTextIsNoNumber) {
  for (const char* text : {"", "k", "-1", "+1", " 1", "1 ", "1MB", "1.5G", "0x10",
                           "18446744073709551616", "18446744073709551615K"}) {
    EXPECT_EQ(ParseNumber(text), std::nullopt) << text;
  }
}

TEST(OptionValuesTest, HigherRankWinsWhateverTheOrder) {
  OptionValues values;
  ASSERT_THAT(SetText(values, Opt::kUser, "file", SettingRank::kOtherGroup), IsOk());
  ASSERT_THAT(SetText(values, Opt::kUser, "line", SettingRank::kCommandLine), IsOk());
  ASSERT_THAT(SetText(values, Opt::kUser, "env", SettingRank::kEnvironment), IsOk());
  ASSERT_THAT(SetText(values, Opt::kUser, "group", SettingRank::kHbkGroup), IsOk());

  EXPECT_EQ(values.Text(Opt::kUser), "line");
}

TEST(OptionValuesTest, LaterWinsAtTheSameRank) {
  OptionValues values;
  ASSERT_THAT(SetText(values, Opt::kUser, "a"), IsOk());
  ASSERT_THAT(SetText(values, Opt::kUser, "b"), IsOk());

  EXPECT_EQ(values.Text(Opt::kUser), "b");
}

TEST(OptionValuesTest, AListGrowsAtTheSameRankAndBeginsAnewAtAHigher) {
  OptionValues values;
  const OptionSpec& spec = SpecOf(Opt::kRemap);
  for (const char* text : {"/a=/b", "/c=/d"})
    ASSERT_THAT(values.Set(spec, text, false, SettingRank::kHbkGroup, "file"), IsOk());
  EXPECT_THAT(values.Texts(Opt::kRemap), ElementsAre("/a=/b", "/c=/d"));

  ASSERT_THAT(values.Set(spec, "/e=/f", false, SettingRank::kCommandLine, "line"), IsOk());
  ASSERT_THAT(values.Set(spec, "/g=/h", false, SettingRank::kHbkGroup, "file"), IsOk());

  EXPECT_THAT(values.Texts(Opt::kRemap), ElementsAre("/e=/f"));
  EXPECT_THAT(values.Recorded(Command::kCopyBack), ElementsAre("--remap=/e=/f"));
}

TEST(OptionValuesTest, FlagsAreOnOrOff) {
  const OptionSpec& ssl = SpecOf(Opt::kSsl);
  const auto flag = [&](std::optional<std::string_view> value, bool is_negated) {
    OptionValues values;
    EXPECT_THAT(values.Set(ssl, value, is_negated, SettingRank::kCommandLine, "test"), IsOk());
    return values.Flag(Opt::kSsl);
  };

  EXPECT_TRUE(flag(std::nullopt, false));
  EXPECT_FALSE(flag(std::nullopt, true));
  EXPECT_TRUE(flag("ON", false));
  EXPECT_FALSE(flag("0", false));
  EXPECT_TRUE(flag("0", true));
  OptionValues values;
  EXPECT_THAT(SetText(values, Opt::kSsl, "maybe"),
              StatusIs(StatusCode::kUsage, HasSubstr("'maybe' is not on or off")));
}

TEST(OptionValuesTest, BadValuesNameOptionAndOrigin) {
  OptionValues values;
  EXPECT_THAT(
      SetText(values, Opt::kPort, "70000"),
      StatusIs(StatusCode::kUsage, "option --port (test): 70000 is not between 0 and 65535"));
  EXPECT_THAT(SetText(values, Opt::kProtocol, "pipe"),
              StatusIs(StatusCode::kUsage, HasSubstr("not one of tcp|socket")));
  EXPECT_THAT(values.Set(SpecOf(Opt::kUser), std::nullopt, false, SettingRank::kHbkGroup, "x"),
              StatusIs(StatusCode::kUsage, HasSubstr("a value is missing: --user=NAME")));
  EXPECT_THAT(SetText(values, Opt::kTargetDir, std::string_view("a\0b", 3)),
              StatusIs(StatusCode::kUsage, HasSubstr("NUL")));
}

TEST(OptionValuesTest, PasswordIsNowhereButInTheSecret) {
  OptionValues values;
  ASSERT_THAT(SetText(values, Opt::kPassword, "s3cret"), IsOk());

  EXPECT_EQ(values.Text(Opt::kPassword), "");
  EXPECT_EQ(values.Find(Opt::kPassword)->secret.Reveal(), "s3cret");
  EXPECT_THAT(values.Recorded(Command::kBackup), ElementsAre("--password=..."));
}

TEST(OptionValuesTest, PasswordWithoutValueIsToBeAskedFor) {
  OptionValues values;
  ASSERT_THAT(
      values.Set(SpecOf(Opt::kPassword), std::nullopt, false, SettingRank::kCommandLine, ""),
      IsOk());

  EXPECT_TRUE(values.Find(Opt::kPassword)->asks_password);
}

TEST(OptionValuesTest, RecordsOnlyWhatTheCommandLooksAt) {
  OptionValues values;
  ASSERT_THAT(SetText(values, Opt::kTargetDir, "/t"), IsOk());
  ASSERT_THAT(SetText(values, Opt::kUseMemory, "1G"), IsOk());
  ASSERT_THAT(SetText(values, Opt::kThrottle, "5"), IsOk());

  EXPECT_THAT(values.Recorded(Command::kBackup), ElementsAre("--target-dir=/t", "--throttle=5"));
  EXPECT_THAT(values.Recorded(Command::kPrepare),
              ElementsAre("--target-dir=/t", "--use-memory=1073741824"));
}

TEST(OptionValuesTest, EnvironmentSetsWhatTheCommandLooksAt) {
  const std::map<std::string, std::string> environment = {
      {"HBK_TARGET_DIR", "/t"}, {"HBK_USE_MEMORY", "junk"}, {"HBK_OTHER", "x"}, {"HBK_PORT", ""}};
  const auto lookup = [&](const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  };
  OptionValues values;

  ASSERT_THAT(ApplyEnvironment(lookup, Command::kBackup, values), IsOk());
  EXPECT_EQ(values.Text(Opt::kTargetDir), "/t");
  EXPECT_EQ(values.Find(Opt::kTargetDir)->origin, "HBK_TARGET_DIR");
  EXPECT_EQ(values.Find(Opt::kPort), nullptr);
  EXPECT_THAT(ApplyEnvironment(lookup, Command::kPrepare, values),
              StatusIs(StatusCode::kUsage, AllOf(HasSubstr("HBK_USE_MEMORY"), HasSubstr("junk"))));
}

}  // namespace
}  // namespace hbk::cli
