#include "aria_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "check_fixture.h"
#include "tests/support/status_matchers.h"

namespace hbk::verify {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::MutableBytes;

constexpr size_t kBlock = 8192;

// The header of a transactional table with checksums, as docs/format/aria.md has it.
std::string MakeIndexFile() {
  constexpr size_t kBase = 512;
  std::string file(kBlock, '\0');
  const MutableByteView bytes = MutableBytes(file);
  bytes[0] = 0xFE;
  bytes[1] = 0xFE;
  bytes[2] = 9;
  StoreBe16(bytes, 4, 0x0800);
  StoreBe16(bytes, 12, kBase);
  bytes[22] = 3;
  StoreBe64(bytes, kBase + 16, kBlock);
  StoreBe16(bytes, kBase + 100, kBlock);
  bytes[kBase + 106] = 1;
  return file;
}

std::string MakeDataPage(uint64_t number) {
  std::string page(kBlock, static_cast<char>(number + 1));
  const ByteView covered = AsBytes(page).first(kBlock - 4);
  const auto sum = static_cast<uint32_t>(
      crc32(static_cast<uLong>(number), covered.data(), static_cast<uInt>(covered.size())));
  StoreLe32(MutableBytes(page), kBlock - 4, sum);
  return page;
}

std::string MakeControlFile(uint32_t checkpoint_log, uint32_t last_log) {
  std::string file(52, '\0');
  const MutableByteView bytes = MutableBytes(file);
  bytes[0] = 0xFE;
  bytes[1] = 0xFE;
  bytes[2] = 0x0C;
  bytes[3] = 1;
  bytes[20] = 30;
  bytes[22] = 22;
  bytes[24] = 0;
  bytes[25] = 0x20;
  bytes[34] = static_cast<uint8_t>(checkpoint_log);
  StoreLe32(bytes, 41, last_log);
  StoreLe32(bytes, 26, static_cast<uint32_t>(crc32(0, bytes.data(), 26)));
  StoreLe32(bytes, 30, static_cast<uint32_t>(crc32(0, bytes.data() + 34, 18)));
  return file;
}

class AriaCheckTest : public ::testing::Test, protected CheckFixture {
 protected:
  std::vector<std::string> CheckData(const std::string& data) {
    auto check = AriaCheck::Make(facts, "db/a.MAD", context).value();
    if (check == nullptr) return {"not checked"};
    EXPECT_THAT(check->Check(0, AsBytes(data), scratch), IsOk());
    EXPECT_THAT(check->Finish(/*is_whole=*/true, scratch), IsOk());
    return Found();
  }
};

TEST_F(AriaCheckTest, PagesAreCheckedByTheHeaderOfTheTable) {
  fs.PutFile("/b/db/a.MAI", MakeIndexFile());
  std::string data = MakeDataPage(0) + MakeDataPage(1) + MakeDataPage(2);
  EXPECT_THAT(CheckData(data), IsEmpty());
  EXPECT_EQ(counts.pages, 3U);

  data[kBlock + 17] ^= 1;
  EXPECT_THAT(CheckData(data), ElementsAre("/b: db/a.MAD: page 1 at offset 8192: bad checksum"));
}

TEST_F(AriaCheckTest, ATableWithoutAHeaderIsNotChecked) {
  EXPECT_THAT(CheckData("x"), ElementsAre("not checked"));
  fs.PutFile("/b/db/a.MAI", "no header");
  EXPECT_THAT(CheckData("x"), ElementsAre("not checked"));
}

TEST_F(AriaCheckTest, TheLogsThatTheControlFileNamesMustBeThere) {
  fs.PutFile("/b/aria_log_control", MakeControlFile(2, 3));
  fs.PutFile("/b/aria_log.00000002", "x");
  ASSERT_THAT(CheckAriaLogs(facts, context), IsOk());
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("aria_log.00000003: it is missing")));

  fs.PutFile("/b/aria_log.00000003", "x");
  ASSERT_THAT(CheckAriaLogs(facts, context), IsOk());
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(AriaCheckTest, ADamagedControlFileIsFound) {
  std::string control = MakeControlFile(1, 1);
  control[43] ^= 1;
  fs.PutFile("/b/aria_log_control", control);

  ASSERT_THAT(CheckAriaLogs(facts, context), IsOk());
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("aria_log_control")));
}

TEST_F(AriaCheckTest, ABackupWithoutAriaLogIsLegal) {
  ASSERT_THAT(CheckAriaLogs(facts, context), IsOk());
  EXPECT_THAT(Found(), IsEmpty());
}

}  // namespace
}  // namespace hbk::verify
