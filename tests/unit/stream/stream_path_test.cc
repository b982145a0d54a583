#include "hbk/stream/stream_path.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::stream {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;

TEST(StreamPathTest, NamesOfServersAreFine) {
  for (const char* path : {"ibdata1", "db/t#P#p0.ibd", "db@002d1/t@0024.frm", "#rocksdb/000012.sst",
                           "...", "a..b/..c", "caf\xc3\xa9/t.frm", "a b/c"})
    EXPECT_THAT(CheckStreamPath(path, kMbstreamPathBytesMax), IsOk()) << path;
}

TEST(StreamPathTest, WhatLeadsElsewhereIsRefused) {
  for (const char* path : {"", "/etc/passwd", "..", "../x", "a/../b", "a/..", ".", "./a", "a/./b",
                           "a//b", "a/", "/", "a\nb", "a\x7f", "\x1b[2J"})
    EXPECT_THAT(CheckStreamPath(path, kMbstreamPathBytesMax), StatusIs(StatusCode::kCorruption, _))
        << path;
  EXPECT_THAT(CheckStreamPath(std::string_view("a\0b", 3), 511),
              StatusIs(StatusCode::kCorruption, HasSubstr("'a\\x00b'")));
}

TEST(StreamPathTest, LengthsHaveTheirLimits) {
  const std::string name(255, 'n');
  EXPECT_THAT(CheckStreamPath(name + "/" + name, 511), IsOk());
  EXPECT_THAT(CheckStreamPath(name + "n", 511), StatusIs(StatusCode::kCorruption, _));
  EXPECT_THAT(CheckStreamPath(name + "/" + name + "/a", 511),
              StatusIs(StatusCode::kCorruption, HasSubstr("...")));
}

TEST(StreamPathTest, MessagesHoldNoControlCharacters) {
  EXPECT_EQ(QuotedPath("a\x1b[1m\n"), "'a\\x1b[1m\\x0a'");
  EXPECT_LT(QuotedPath(std::string(10000, 'x')).size(), 400U);
}

}  // namespace
}  // namespace hbk::stream
