// Whole histories of pages of a real server: tests/golden/redo/README.md.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/redo/page_applier.h"

#include "tests/support/page_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::redo {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::IsOkAndHolds;
using ::hbk::testing::MutableBytes;

std::filesystem::path GoldenDirectory() {
  const std::string file = __FILE__;
  return file.substr(0, file.rfind("/tests/unit/")) + "/tests/golden/redo";
}

std::vector<std::string> PageFiles() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(GoldenDirectory())) {
    if (entry.path().extension() == ".page") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

// Takes integers and bytes off the front of a golden file.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  uint64_t Take64() { return LoadBe64(Take(8), 0); }
  uint32_t Take32() { return LoadBe32(Take(4), 0); }
  ByteView Take(size_t size) {
    HBK_CHECK(size <= rest_.size());
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  [[nodiscard]] ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
};

class GoldenPagesTest : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenPagesTest, RedoLeadsToThePageOfTheServer) {
  std::ifstream file(GoldenDirectory() / (GetParam() + ".page"), std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  Reader reader(AsBytes(content));
  const innodb::PageId id{.space = reader.Take32(), .page = reader.Take32()};
  const uint32_t page_bytes = reader.Take32();
  const auto flags = innodb::TablespaceFlags::Decode(reader.Take32());
  ASSERT_THAT(flags, IsOk());

  std::string page(page_bytes, '\0');
  uint64_t end_lsn = 0;
  for (uint32_t runs = reader.Take32(); runs > 0; --runs) {
    reader.Take64();
    end_lsn = reader.Take64();
    const ByteView records = reader.Take(reader.Take32());
    ASSERT_THAT(ApplyRecords(records, MutableBytes(page), id, flags->is_zip()), IsOkAndHolds(true));
  }
  StoreBe64(MutableBytes(page), innodb::kFilLsn, end_lsn);
  innodb::SealPage(MutableBytes(page), *flags, id);

  EXPECT_EQ(page, AsText(reader.rest()));
}

INSTANTIATE_TEST_SUITE_P(Server, GoldenPagesTest, ::testing::ValuesIn(PageFiles()),
                         [](const auto& file) { return file.param; });

}  // namespace
}  // namespace hbk::redo
