// What an earlier prepare has left in the directory: journals of pages, the increments that were
// being laid; and the names that mariadb-backup has left to its prepare. Any of them is read, or
// refused. A journal can be replayed twice.
//
// Input: a letter for what it is. A journal is a row of pages, each with a number of ranges (0..3),
// bits for what is done to it, a byte for its place, and of each range offset and size (2 bytes
// each); they get the checksums that they need: else no mutation would come further.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"
#include "hbk/base/crc32c.h"
#include "hbk/manifest/backup_manifest.h"

#include "../../src/prepare/file_moves.h"
#include "../../src/prepare/journal_format.h"
#include "../../src/prepare/laying_state.h"
#include "../../src/prepare/page_journal.h"
#include "tests/support/mem_file_system.h"

namespace {

using namespace hbk;           // NOLINT(google-build-using-namespace)
using namespace hbk::prepare;  // NOLINT(google-build-using-namespace)

constexpr size_t kPageBytes = 4096;
constexpr size_t kPagesMax = 64;
constexpr size_t kPageHeadBytes = 3;
constexpr size_t kRangeHeadBytes = 4;
const std::string kDir = "/b";
const std::string kJournal = "/b/hbk_prepare.journal.0";

// Of a page's second byte.
constexpr uint8_t kEndsBatch = 1;
constexpr uint8_t kHasWrongCrc = 2;
constexpr uint8_t kHasOtherName = 4;
constexpr uint8_t kHasUnsafeName = 8;
constexpr uint8_t kIsCut = 16;
constexpr uint8_t kIsOld = 32;

void Put(std::string& text, size_t size, uint64_t value) {
  for (size_t i = 0; i < size; ++i)
    text += static_cast<char>(value >> 8 * i);
}

// The journal, and what its pages become. `files` are what the writer has before it.
class JournalWriter {
 public:
  explicit JournalWriter(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  void AddPage(ByteView& input) {
    const size_t range_count = input[0] & 3U;
    const uint8_t bits = input[1];
    const uint64_t offset = uint64_t{input[2]} % 8 * kPageBytes;
    input = input.subspan(kPageHeadBytes);
    std::string name = (bits & kHasOtherName) != 0 ? "ibdata1" : "db/t.ibd";
    if ((bits & kHasUnsafeName) != 0) name = "../" + name;
    std::string page(kPageBytes, '\0');
    const std::string& file = files_[name];
    if (offset < file.size()) page.replace(0, kPageBytes, file, offset, kPageBytes);
    page.resize(kPageBytes);
    std::string heads;
    std::string bytes;
    size_t count = 0;
    for (; count < range_count && input.size() >= kRangeHeadBytes; ++count) {
      const uint32_t begin = LoadLe16(input, 0);
      const uint32_t size = LoadLe16(input, 2) % 600U;
      input = input.subspan(kRangeHeadBytes);
      std::string range(AsText(input.first(std::min<size_t>(size, input.size()))));
      range.resize(size, 'r');
      if (begin + size <= kPageBytes) page.replace(begin, size, range);
      Put(heads, 4, begin);
      Put(heads, 4, size);
      bytes += range;
    }
    if (begin_ == 0) batch_.clear();
    Put(batch_, 2, name.size());
    batch_ += name;
    Put(batch_, 8, offset);
    Put(batch_, 4, kPageBytes);
    Put(batch_, 8, (bits & kIsOld) != 0 ? 0 : UINT64_MAX);
    Put(batch_, 4, Crc32c(AsBytes(page)) ^ ((bits & kHasWrongCrc) != 0 ? 1U : 0U));
    Put(batch_, 4, count);
    batch_ += heads + bytes;
    ++begin_;
    std::string& target = files_[name];
    target.resize(std::max<size_t>(target.size(), offset + kPageBytes));
    target.replace(offset, kPageBytes, page);
    if ((bits & kIsCut) != 0) batch_.pop_back();
    if ((bits & kEndsBatch) != 0) EndBatch();
  }

  std::string Finish() {
    EndBatch();
    return journal_;
  }

 private:
  void EndBatch() {
    if (begin_ == 0) return;
    std::string head;
    Put(head, 8, kJournalMagic);
    Put(head, 8, ++number_);
    Put(head, 4, batch_.size());
    Put(head, 4, Crc32c(AsBytes(batch_)));
    Put(head, 4, Crc32c(AsBytes(head)));
    journal_ += head + batch_;
    begin_ = 0;
  }

  std::map<std::string, std::string> files_;
  std::string journal_;
  std::string batch_;
  size_t begin_ = 0;  // pages in the batch
  uint64_t number_ = 0;
};

void CheckJournal(ByteView input) {
  testing::MemFileSystem fs;
  const std::string content(4 * kPageBytes, 'o');
  for (const char* name : {"ibdata1", "db/t.ibd"})
    fs.PutFile(kDir + "/" + name, content);
  JournalWriter writer({{"ibdata1", content}, {"db/t.ibd", content}});
  for (size_t i = 0; i < kPagesMax && input.size() >= kPageHeadBytes; ++i)
    writer.AddPage(input);
  std::string journal = writer.Finish();
  // What was not synced any more.
  if (!input.empty()) journal += AsText(input);
  fs.PutFile(kJournal, journal);

  const auto replayed = ReplayJournals(fs, kDir);
  const auto tree = fs.Tree(kDir);
  HBK_CHECK(tree.size() == 3);
  if (!replayed.ok()) {
    HBK_CHECK(replayed.status().code() == StatusCode::kCorruption);
    return;
  }
  const auto again = ReplayJournals(fs, kDir);
  HBK_CHECK(again.ok() && *again == *replayed && fs.Tree(kDir) == tree);
  HBK_CHECK(RemoveJournals(fs, kDir).ok() && fs.Tree(kDir).size() == 2);
}

void CheckLaying(std::string_view text) {
  testing::MemFileSystem fs;
  fs.PutFile(kDir + "/" + std::string(kLayingStateName), text);
  const auto state = LoadLayingState(fs, kDir);
  if (!state.ok()) {
    HBK_CHECK(state.status().code() == StatusCode::kCorruption);
    return;
  }
  HBK_CHECK(state->has_value() && (*state)->Uuids().size() == (*state)->increments.size());
  HBK_CHECK(StoreLayingState(fs, kDir, **state).ok());
  const auto again = LoadLayingState(fs, kDir);
  HBK_CHECK(again.ok() && again->has_value() && (*again)->phase == (*state)->phase);
  HBK_CHECK((*again)->Uuids() == (*state)->Uuids());
  HBK_CHECK((*again)->Command(kDir) == (*state)->Command(kDir));
}

void CheckNewName(std::string_view text) {
  testing::MemFileSystem fs;
  fs.PutFile("/b/db/t.ren", text);
  const auto name = ReadNewName(fs, "/b/db/t.ren");
  if (!name.ok()) {
    HBK_CHECK(name.status().code() == StatusCode::kCorruption ||
              name.status().code() == StatusCode::kFailed);
    return;
  }
  HBK_CHECK(manifest::IsSafeFileName(*name) && name->ends_with(".ibd"));
  HBK_CHECK(name->find('/') != std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  switch (data[0]) {
    case 'j': CheckJournal(rest); break;
    case 'l': CheckLaying(AsText(rest)); break;
    default: CheckNewName(AsText(rest)); break;
  }
  return 0;
}
