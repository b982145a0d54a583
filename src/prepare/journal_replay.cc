// ReplayJournals: lays the differences in the journals of a killed run over the pages.
//
// Each page belongs to one worker, so the order of the journals does not matter; within one
// journal the order is that of writing. A page that was written again later may hold bytes of the
// later image already: laying both differences over it, in order, gives the later one.

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/base/crc32c.h"
#include "hbk/innodb/page.h"
#include "hbk/manifest/backup_manifest.h"

#include "journal_format.h"
#include "page_journal.h"

namespace hbk::prepare {
namespace {

constexpr size_t kHoleBytes = 4096;

// One page of a batch, as it is read back.
struct Entry {
  std::string_view name;
  uint64_t offset = 0;
  uint32_t page_size = 0;
  innodb::Lsn lsn = 0;
  uint32_t page_crc = 0;
  std::vector<std::pair<uint32_t, ByteView>> ranges;  // offset in the page, bytes
};

// Takes integers and bytes off the front; false when there are too few.
class Cursor {
 public:
  explicit Cursor(ByteView rest) : rest_(rest) {}
  template <typename T>
  bool Take(T& value) {
    if (rest_.size() < sizeof(value)) return false;
    std::memcpy(&value, rest_.data(), sizeof(value));
    rest_ = rest_.subspan(sizeof(value));
    return true;
  }
  bool Take(size_t size, ByteView& bytes) {
    if (rest_.size() < size) return false;
    bytes = rest_.first(size);
    rest_ = rest_.subspan(size);
    return true;
  }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

bool ParseEntry(Cursor& cursor, Entry& entry) {
  uint16_t name_size = 0;
  uint32_t range_count = 0;
  ByteView name;
  if (!cursor.Take(name_size) || !cursor.Take(name_size, name) || !cursor.Take(entry.offset) ||
      !cursor.Take(entry.page_size) || !cursor.Take(entry.lsn) || !cursor.Take(entry.page_crc) ||
      !cursor.Take(range_count) || entry.page_size < innodb::kPageSizeMin ||
      entry.page_size > innodb::kPageSizeMax || range_count > entry.page_size) {
    return false;
  }
  entry.name = AsText(name);
  entry.ranges.clear();
  std::vector<std::pair<uint32_t, uint32_t>> sizes(range_count);
  for (auto& [offset, size] : sizes)
    if (!cursor.Take(offset) || !cursor.Take(size)) return false;
  for (const auto& [offset, size] : sizes) {
    ByteView bytes;
    if (!cursor.Take(size, bytes) || offset > entry.page_size || size > entry.page_size - offset)
      return false;
    entry.ranges.emplace_back(offset, bytes);
  }
  return true;
}

class Replayer {
 public:
  Replayer(io::FileSystem& fs, const std::string& dir)
      : fs_(fs), dir_(dir), page_(innodb::kPageSizeMax) {}

  // Twice over each journal: first all differences are laid, then all results are checked.
  Status Replay(const std::string& path) {
    HBK_RETURN_IF_ERROR(ForEachEntry(path, [&](const Entry& entry) { return Lay(entry); }));
    HBK_RETURN_IF_ERROR(ForEachEntry(path, [&](const Entry& entry) { return Check(entry); }));
    return CloseFile();
  }

  [[nodiscard]] uint64_t entry_count() const { return entry_count_; }

 private:
  template <typename Visit>
  Status ForEachEntry(const std::string& path, Visit visit) {
    HBK_ASSIGN_OR_RETURN(const auto journal, fs_.Open(path, {}));
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, journal->Stat());
    std::optional<uint64_t> last_number;
    std::vector<uint8_t> payload;
    for (uint64_t offset = 0;;) {
      HBK_ASSIGN_OR_RETURN(const bool has_batch,
                           ReadBatch(*journal, info.size, offset, last_number, payload));
      if (!has_batch) return OkStatus();
      Cursor cursor(payload);
      Entry entry;
      while (!cursor.empty()) {
        // The batch is whole, so this can only be a defect or another version's journal.
        if (!ParseEntry(cursor, entry) || !manifest::IsSafeFileName(entry.name)) {
          return CorruptionError(
              fmt::format("{}: a batch before offset {} cannot be read", path, offset));
        }
        ++entry_count_;
        HBK_RETURN_IF_ERROR(visit(entry));
      }
    }
  }

  // False where the next batch is not whole: it was never synced, so none of its pages was begun.
  static Result<bool> ReadBatch(io::File& journal, uint64_t file_size, uint64_t& offset,
                                std::optional<uint64_t>& last_number,
                                std::vector<uint8_t>& payload) {
    std::array<uint8_t, kJournalBatchHeaderBytes> header{};
    HBK_ASSIGN_OR_RETURN(const size_t size, journal.ReadAt(offset, header));
    if (size != header.size() || LoadLe64(header, 0) != kJournalMagic ||
        LoadLe32(header, kJournalBatchCrcOffset) !=
            Crc32c(ByteView(header).first(kJournalBatchCrcOffset))) {
      return false;
    }
    const uint64_t number = LoadLe64(header, 8);
    const uint32_t payload_size = LoadLe32(header, 16);
    if ((last_number.has_value() && number != *last_number + 1) ||
        payload_size > file_size - offset - header.size()) {
      return false;
    }
    payload.resize(payload_size);
    HBK_ASSIGN_OR_RETURN(const size_t payload_read,
                         journal.ReadAt(offset + header.size(), payload));
    if (payload_read != payload_size || Crc32c(payload) != LoadLe32(header, 20)) return false;
    last_number = number;
    offset += header.size() + payload_size;
    return true;
  }

  Status OpenFile(std::string_view name) {
    if (file_ != nullptr && name_ == name) return OkStatus();
    HBK_RETURN_IF_ERROR(CloseFile());
    name_ = name;
    auto file = fs_.Open(io::JoinPath(dir_, name), {.write = true});
    if (!file.ok()) return file.status().WithContext("finishing an interrupted prepare");
    file_ = std::move(file).value();
    return OkStatus();
  }

  Status CloseFile() {
    if (file_ == nullptr) return OkStatus();
    HBK_RETURN_IF_ERROR(file_->Sync());
    HBK_RETURN_IF_ERROR(file_->Close());
    file_ = nullptr;
    return OkStatus();
  }

  Result<MutableByteView> ReadPage(const Entry& entry) {
    HBK_RETURN_IF_ERROR(OpenFile(entry.name));
    const MutableByteView page = page_.view().first(entry.page_size);
    HBK_ASSIGN_OR_RETURN(const size_t size, file_->ReadAt(entry.offset, page));
    // The file may not have been made longer yet.
    std::fill(page.begin() + static_cast<std::ptrdiff_t>(size), page.end(), uint8_t{0});
    return page;
  }

  Status Lay(const Entry& entry) {
    HBK_ASSIGN_OR_RETURN(const MutableByteView page, ReadPage(entry));
    for (const auto& [offset, bytes] : entry.ranges)
      std::copy(bytes.begin(), bytes.end(), page.begin() + static_cast<std::ptrdiff_t>(offset));
    return WritePage(entry.offset, page);
  }

  // What is zeros at the end of an image stays a hole: it is a page_compressed one.
  Status WritePage(uint64_t offset, ByteView page) {
    size_t size = page.size();
    while (size > kHoleBytes && IsAllZero(page.subspan(size - kHoleBytes, kHoleBytes)))
      size -= kHoleBytes;
    HBK_RETURN_IF_ERROR(file_->WriteAt(offset, page.first(size)));
    return size == page.size() ? OkStatus() : file_->PunchHole(offset + size, page.size() - size);
  }

  Status Check(const Entry& entry) {
    HBK_ASSIGN_OR_RETURN(const ByteView page, ReadPage(entry));
    // A later entry of the same page counts, this one is history.
    if (innodb::PageLsn(page) > entry.lsn || Crc32c(page) == entry.page_crc) return OkStatus();
    return CorruptionError(fmt::format(
        "{} was changed by something else since prepare was interrupted: the page at offset {} is "
        "not what the journal makes it",
        entry.name, entry.offset));
  }

  io::FileSystem& fs_;
  const std::string& dir_;
  AlignedBuffer page_;
  std::unique_ptr<io::File> file_;
  std::string name_;
  uint64_t entry_count_ = 0;
};

Result<std::vector<std::string>> JournalPaths(io::FileSystem& fs, const std::string& dir) {
  std::vector<std::string> paths;
  HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(dir));
  for (const io::DirectoryEntry& entry : entries)
    if (entry.name.starts_with(kJournalPrefix)) paths.push_back(io::JoinPath(dir, entry.name));
  return paths;
}

}  // namespace

Result<bool> ReplayJournals(io::FileSystem& fs, const std::string& dir) {
  HBK_ASSIGN_OR_RETURN(const auto paths, JournalPaths(fs, dir));
  Replayer replayer(fs, dir);
  for (const std::string& path : paths)
    HBK_RETURN_IF_ERROR(replayer.Replay(path));
  return replayer.entry_count() != 0;
}

Status RemoveJournals(io::FileSystem& fs, const std::string& dir) {
  HBK_ASSIGN_OR_RETURN(const auto paths, JournalPaths(fs, dir));
  for (const std::string& path : paths)
    HBK_RETURN_IF_ERROR(fs.Remove(path));
  return paths.empty() ? OkStatus() : fs.SyncDirectory(dir);
}

}  // namespace hbk::prepare
