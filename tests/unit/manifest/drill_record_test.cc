#include "hbk/manifest/drill_record.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::manifest {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;

DrilledRecord SampleDrilled() {
  return {.drilled_at = "2026-01-31T16:55:30Z",
          .ok = true,
          .restore_seconds = 12.5,
          .server_version = "10.11.19-MariaDB \"quoted\"",
          .manifest_digest = "0123456789abcdef0123456789abcdef"};
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(DrillRecordTest, WhatIsRenderedIsParsedBack) {
  for (const bool ok : {true, false}) {
    DrilledRecord record = SampleDrilled();
    record.ok = ok;
    record.sample_turn = ok ? 20481 : 0;
    EXPECT_THAT(ParseDrilledRecord(RenderDrilledRecord(record)), IsOkAndHolds(record));
  }
}

TEST(DrillRecordTest, TheTextIsWhatOthersRead) {
  EXPECT_EQ(RenderDrilledRecord(SampleDrilled()),
            "{\n"
            "  \"drilled_at\": \"2026-01-31T16:55:30Z\",\n"
            "  \"ok\": true,\n"
            "  \"restore_seconds\": 12.5,\n"
            "  \"server_version\": \"10.11.19-MariaDB \\\"quoted\\\"\",\n"
            "  \"manifest_digest\": \"0123456789abcdef0123456789abcdef\"\n"
            "}\n");
}

TEST(DrillRecordTest, UnknownMembersAreIgnored) {
  const std::string drilled = Replaced(RenderDrilledRecord(SampleDrilled()), "{", "{\"new\": [],");
  EXPECT_THAT(ParseDrilledRecord(drilled), IsOkAndHolds(SampleDrilled()));
}

TEST(DrillRecordTest, WhatIsNoRecordOfADrillIsRefused) {
  const std::string good = RenderDrilledRecord(SampleDrilled());
  const std::string cases[] = {
      "null",
      Replaced(good, "true", "1"),
      Replaced(good, "12.5", "-12.5"),
      Replaced(good, "12.5", "\"12.5\""),
      Replaced(good, "12.5", "1e999"),
      Replaced(good, "T16", " 16"),
      Replaced(good, "\"server_version\"", "\"server\""),
      Replaced(good, "10.11", "\\u001b[2J"),
      Replaced(good, "0123", "xxxx"),
  };

  for (const std::string& text : cases)
    EXPECT_THAT(ParseDrilledRecord(text), StatusIs(StatusCode::kCorruption, _)) << text;
}

TEST(DrillRecordTest, AStoredRecordReplacesTheOneBefore) {
  MemFileSystem fs;
  ASSERT_THAT(fs.MakeDirectory("/b", 0700), IsOk());
  DrilledRecord drilled = SampleDrilled();
  ASSERT_THAT(StoreDrilledRecord(fs, "/b", drilled), IsOk());
  drilled.ok = false;

  ASSERT_THAT(StoreDrilledRecord(fs, "/b", drilled), IsOk());

  EXPECT_THAT(LoadDrilledRecord(fs, "/b"), IsOkAndHolds(drilled));
}

TEST(DrillRecordTest, WhatCouldNotBeReadAgainIsNotStored) {
  MemFileSystem fs;
  ASSERT_THAT(fs.MakeDirectory("/b", 0700), IsOk());
  DrilledRecord drilled = SampleDrilled();
  drilled.drilled_at = "yesterday";

  EXPECT_THAT(StoreDrilledRecord(fs, "/b", drilled),
              StatusIs(StatusCode::kCorruption, HasSubstr("writing /b/hbk_drilled.json")));
  EXPECT_THAT(LoadDrilledRecord(fs, "/b"), StatusIs(StatusCode::kNotFound, _));
}

TEST(DrillRecordTest, ADamagedRecordIsNamed) {
  MemFileSystem fs;
  ASSERT_THAT(fs.MakeDirectory("/b", 0700), IsOk());
  ASSERT_THAT(io::WriteNewFile(fs, "/b/hbk_drilled.json", "{", 0600), IsOk());

  EXPECT_THAT(LoadDrilledRecord(fs, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("/b/hbk_drilled.json")));
}

}  // namespace
}  // namespace hbk::manifest
