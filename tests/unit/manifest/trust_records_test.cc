#include "hbk/manifest/trust_records.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/filter/tree_digest.h"

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

VerifiedRecord SampleVerified() {
  return {.verified_at = "2026-01-31T16:55:30Z",
          .kind = VerifyKind::kSample,
          .findings = 18446744073709551615U,
          .manifest_digest = "0123456789abcdef0123456789abcdef"};
}

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

TEST(TrustRecordsTest, WhatIsRenderedIsParsedBack) {
  for (const VerifyKind kind : {VerifyKind::kFull, VerifyKind::kFast, VerifyKind::kSample}) {
    VerifiedRecord record = SampleVerified();
    record.kind = kind;
    EXPECT_THAT(ParseVerifiedRecord(RenderVerifiedRecord(record)), IsOkAndHolds(record));
  }
  for (const bool ok : {true, false}) {
    DrilledRecord record = SampleDrilled();
    record.ok = ok;
    record.sample_turn = ok ? 20481 : 0;
    EXPECT_THAT(ParseDrilledRecord(RenderDrilledRecord(record)), IsOkAndHolds(record));
  }
}

TEST(TrustRecordsTest, TheTextIsWhatOthersRead) {
  EXPECT_EQ(RenderVerifiedRecord(SampleVerified()),
            "{\n"
            "  \"verified_at\": \"2026-01-31T16:55:30Z\",\n"
            "  \"kind\": \"sample\",\n"
            "  \"findings\": 18446744073709551615,\n"
            "  \"manifest_digest\": \"0123456789abcdef0123456789abcdef\"\n"
            "}\n");
  EXPECT_EQ(RenderDrilledRecord(SampleDrilled()),
            "{\n"
            "  \"drilled_at\": \"2026-01-31T16:55:30Z\",\n"
            "  \"ok\": true,\n"
            "  \"restore_seconds\": 12.5,\n"
            "  \"server_version\": \"10.11.19-MariaDB \\\"quoted\\\"\",\n"
            "  \"manifest_digest\": \"0123456789abcdef0123456789abcdef\"\n"
            "}\n");
}

TEST(TrustRecordsTest, UnknownMembersAreIgnored) {
  const std::string verified =
      Replaced(RenderVerifiedRecord(SampleVerified()), "{", "{\"new\": [],");
  EXPECT_THAT(ParseVerifiedRecord(verified), IsOkAndHolds(SampleVerified()));
}

TEST(TrustRecordsTest, WhatIsNoRecordOfAVerifyIsRefused) {
  const std::string good = RenderVerifiedRecord(SampleVerified());
  const std::string cases[] = {
      "",
      "[]",
      "{}",
      good.substr(0, good.size() - 3),
      Replaced(good, "sample", "thorough"),
      Replaced(good, "\"sample\"", "7"),
      Replaced(good, "18446744073709551615", "-1"),
      Replaced(good, "18446744073709551615", "1.5"),
      Replaced(good, "18446744073709551615", "\"0\""),
      Replaced(good, "16:55:30Z", "16:55:30"),
      Replaced(good, "16:55:30Z", "16:55-30Z"),
      Replaced(good, "2026", "2o26"),
      Replaced(good, "abcdef\"", "abcdeF\""),
      Replaced(good, "abcdef\"", "\""),
      Replaced(good, "\"kind\"", "\"king\""),
      std::string(65 << 10, ' ') + good,
  };

  for (const std::string& text : cases)
    EXPECT_THAT(ParseVerifiedRecord(text), StatusIs(StatusCode::kCorruption, _)) << text;
}

TEST(TrustRecordsTest, WhatIsNoRecordOfADrillIsRefused) {
  const std::string good = RenderDrilledRecord(SampleDrilled());
  const std::string cases[] = {
      "null",
      Replaced(good, "true", "1"),
      Replaced(good, "12.5", "-12.5"),
      Replaced(good, "12.5", "\"12.5\""),
      Replaced(good, "12.5", "1e999"),
      Replaced(good, "T16", " 16"),
      Replaced(good, "\"server_version\"", "\"server\""),
      Replaced(good, "0123", "xxxx"),
  };

  for (const std::string& text : cases)
    EXPECT_THAT(ParseDrilledRecord(text), StatusIs(StatusCode::kCorruption, _)) << text;
}

TEST(TrustRecordsTest, AStoredRecordReplacesTheOneBefore) {
  MemFileSystem fs;
  ASSERT_THAT(fs.MakeDirectory("/b", 0700), IsOk());
  VerifiedRecord verified = SampleVerified();
  ASSERT_THAT(StoreVerifiedRecord(fs, "/b", verified), IsOk());
  verified.findings = 0;

  ASSERT_THAT(StoreVerifiedRecord(fs, "/b", verified), IsOk());
  ASSERT_THAT(StoreDrilledRecord(fs, "/b", SampleDrilled()), IsOk());

  EXPECT_THAT(LoadVerifiedRecord(fs, "/b"), IsOkAndHolds(verified));
  EXPECT_THAT(LoadDrilledRecord(fs, "/b"), IsOkAndHolds(SampleDrilled()));
}

TEST(TrustRecordsTest, WhatCouldNotBeReadAgainIsNotStored) {
  MemFileSystem fs;
  ASSERT_THAT(fs.MakeDirectory("/b", 0700), IsOk());
  VerifiedRecord verified = SampleVerified();
  verified.manifest_digest = "";
  DrilledRecord drilled = SampleDrilled();
  drilled.drilled_at = "yesterday";

  EXPECT_THAT(StoreVerifiedRecord(fs, "/b", verified),
              StatusIs(StatusCode::kCorruption, HasSubstr("writing /b/hbk_verified.json")));
  EXPECT_THAT(StoreDrilledRecord(fs, "/b", drilled),
              StatusIs(StatusCode::kCorruption, HasSubstr("writing /b/hbk_drilled.json")));
  EXPECT_THAT(LoadVerifiedRecord(fs, "/b"), StatusIs(StatusCode::kNotFound, _));
  EXPECT_THAT(LoadDrilledRecord(fs, "/b"), StatusIs(StatusCode::kNotFound, _));
}

TEST(TrustRecordsTest, ADamagedRecordIsNamed) {
  MemFileSystem fs;
  ASSERT_THAT(fs.MakeDirectory("/b", 0700), IsOk());
  ASSERT_THAT(io::WriteNewFile(fs, "/b/hbk_drilled.json", "{", 0600), IsOk());

  EXPECT_THAT(LoadDrilledRecord(fs, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("/b/hbk_drilled.json")));
}

TEST(TrustRecordsTest, TheDigestIsThatOfTheManifestAsItLiesThere) {
  MemFileSystem fs;
  ASSERT_THAT(fs.MakeDirectory("/b", 0700), IsOk());
  EXPECT_THAT(DigestOfStoredManifest(fs, "/b"), StatusIs(StatusCode::kNotFound, HasSubstr("/b")));

  // In the order of precedence, the last one first.
  for (const std::string name : {"mariadb_backup_checkpoints", "xtrabackup_checkpoints",
                                 "hbk_manifest.json.sealed", "hbk_manifest.json"}) {
    ASSERT_THAT(io::WriteNewFile(fs, "/b/" + name, name, 0600), IsOk());
    EXPECT_THAT(DigestOfStoredManifest(fs, "/b"), IsOkAndHolds(filter::DigestOf(AsBytes(name))));
  }
}

}  // namespace
}  // namespace hbk::manifest
