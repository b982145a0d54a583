#include "hbk/manifest/verify_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::manifest {
namespace {

using ::testing::_;
using testing::IsOk;
using testing::MemFileSystem;
using testing::StatusIs;

VerifyRecord Example() {
  VerifyRecord record;
  record.hbk_version = "0.1.0";
  record.time = "2026-01-31T16:55:30Z";
  record.mode = "full";
  record.subjects = {"aa", "bb"};
  record.file_count = 3;
  record.bytes = 5;
  record.page_count = 7;
  record.finding_count = 2;
  record.findings = {{"page", 1}, {"size", 1}};
  record.resume = VerifyRecord::Resume{.backup = 1, .file = 2, .offset = 16777216};
  return record;
}

TEST(VerifyRecordTest, WhatIsStoredIsLoaded) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  ASSERT_THAT(StoreVerifyRecord(fs, "/b", Example()), IsOk());

  const auto record = LoadVerifyRecord(fs, "/b");

  ASSERT_THAT(record.status(), IsOk());
  EXPECT_EQ(RenderVerifyRecord(*record), RenderVerifyRecord(Example()));
  EXPECT_EQ(record->resume, Example().resume);
  EXPECT_EQ(record->findings, Example().findings);
}

TEST(VerifyRecordTest, OtherTextsAreRefused) {
  const std::string text = RenderVerifyRecord(Example());
  for (const std::string& wrong :
       {std::string("x"), std::string("[]"), std::string("{}"),
        std::string(text).replace(text.find("\"bytes\""), 7, "\"bites\""),
        std::string(text).replace(text.find("\"full\""), 6, "\"half\""),
        std::string(text).replace(text.find("2026-"), 5, "2026\\u001b"),
        std::string(text).replace(text.find("\"format_version\": 1"), 19,
                                  "\"format_version\": 2")}) {
    EXPECT_THAT(ParseVerifyRecord(wrong).status(), StatusIs(StatusCode::kCorruption, _)) << wrong;
  }
}

TEST(VerifyRecordTest, ThereMayBeNone) {
  MemFileSystem fs;
  fs.PutDirectory("/b");

  EXPECT_THAT(LoadVerifyRecord(fs, "/b").status(), StatusIs(StatusCode::kNotFound, _));
}

}  // namespace
}  // namespace hbk::manifest
