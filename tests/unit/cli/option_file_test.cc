#include "option_file.h"

#include <optional>
#include <string>

#include "tests/support/status_matchers.h"

namespace hbk::cli {
namespace {

using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;
using Kind = OptionFileLine::Kind;

// "key=value", "key" without a value, or the error, of the one setting of a group.
std::string One(const std::string& line) {
  const auto lines = ParseOptionFile("[g]\n" + line + "\n", "f");
  if (!lines.ok()) return lines.status().ToString();
  if (lines->size() != 1) return std::to_string(lines->size()) + " lines";
  const OptionFileLine& only = lines->front();
  return only.value ? only.key + "=" + *only.value : only.key;
}

// What my_print_defaults 10.11.19 prints for the same line.
TEST(OptionFileTest, ReadsLinesAsTheServerDoes) {
  struct Case {
    const char* line;
    const char* setting;
  };
  const Case cases[] = {
      {"a=1 # tail", "a=1"},
      {"a=1#2", "a=1"},
      {R"(b = "quoted # hash" # tail)", "b=quoted # hash"},
      {R"(c='single "x" \t tab')", "c=single \"x\" \t tab"},
      {R"(d=\s\s x\\y\q\"z\'w\n|)", "d=   x\\y\\q\"z'w\n|"},
      {"e", "e"},
      {"f =", "f="},
      {R"(g= "unbalanced)", "g=\"unbalanced"},
      {"h=a;b", "h=a;b"},
      {R"(i="a" b)", "i=\"a\" b"},
      {"j  k = v", "j  k=v"},
      {"skip-l", "skip-l"},
      {" q=lead", "q=lead"},
      {"=novalue", "=novalue"},
      {R"(r="a\"b#c")", "r=a\"b#c"},
      {"s=it's # t", "s=it's # t"},
      {"t=a 'b # c' d", "t=a 'b # c' d"},
      {R"(c="a#b" c # d)", "c=\"a#b\" c"},
      {R"(d=a"b # c")", "d=a\"b # c\""},
      {R"(e=a\# b)", "e=a\\"},
      {R"(f='a\'b' # q)", "f=a'b"},
      {R"(g='it"s' # q)", "g=it\"s"},
      {"h=# all", "h="},
      {"k = '' ", "k="},
      {R"(l=\)", "l=\\"},
      {R"(m=a\)", "m=a\\"},
      {R"(n="a\")", "n=a\\"},
      {"o=' x '", "o= x "},
      {R"(p=\'x')", "p='x'"},
      {"q#=3", "q"},
      {"r # =3", "r"},
      {"u=\"x\"\r", "u=x"},
      {"v='", "v='"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(One(c.line), c.setting) << c.line;
}

TEST(OptionFileTest, CommentsAndEmptyLinesAreNoSettings) {
  const auto lines = ParseOptionFile("# a\n; b\n\n  # c\n[g]\n#x=1\n", "f");

  ASSERT_THAT(lines, ::hbk::testing::IsOk());
  EXPECT_TRUE(lines->empty());
}

TEST(OptionFileTest, GroupHoldsUntilTheNext) {
  const auto lines = ParseOptionFile("[a]\nx=1\n[b ] junk\ny=2\n[a]\t# tail\nz", "f");

  ASSERT_THAT(lines, ::hbk::testing::IsOk());
  ASSERT_EQ(lines->size(), 3U);
  EXPECT_EQ((*lines)[0].group, "a");
  EXPECT_EQ((*lines)[1].group, "b");
  EXPECT_EQ((*lines)[2].group, "a");
  EXPECT_EQ((*lines)[2].key, "z");
  EXPECT_EQ((*lines)[2].value, std::nullopt);
  EXPECT_EQ((*lines)[2].line, 6U);
}

TEST(OptionFileTest, DirectivesMayStandBeforeTheFirstGroup) {
  const auto lines = ParseOptionFile("!include /a b\n!includedir\t/d \n!foo x\n!include\n", "f");

  ASSERT_THAT(lines, ::hbk::testing::IsOk());
  ASSERT_EQ(lines->size(), 4U);
  EXPECT_EQ((*lines)[0].kind, Kind::kInclude);
  EXPECT_EQ((*lines)[0].value, "/a b");
  EXPECT_EQ((*lines)[1].kind, Kind::kIncludeDirectory);
  EXPECT_EQ((*lines)[1].value, "/d");
  EXPECT_EQ((*lines)[2].kind, Kind::kUnknownDirective);
  EXPECT_EQ((*lines)[3].value, "");
}

TEST(OptionFileTest, ErrorsNameFileAndLine) {
  const auto parse = [](std::string_view text) {
    return ParseOptionFile(text, "/x.cnf");
  };

  EXPECT_THAT(parse("[g\na=1\n"),
              StatusIs(StatusCode::kUsage,
                       HasSubstr("option file /x.cnf, line 1: group without a closing ]")));
  EXPECT_THAT(parse("\na=1\n"),
              StatusIs(StatusCode::kUsage, HasSubstr("line 2: option before the first [group]")));
  EXPECT_THAT(parse(std::string_view("[g]\na=\0b\n", 9)),
              StatusIs(StatusCode::kUsage, HasSubstr("line 2: NUL byte")));
  EXPECT_THAT(parse("[g]\n" + std::string(70000, 'a')),
              StatusIs(StatusCode::kUsage, HasSubstr("line 2: line over 64 KiB")));
}

}  // namespace
}  // namespace hbk::cli
