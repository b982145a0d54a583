#include "tests/support/live/directory_comparison.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "hbk/base/bytes.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/tablespace_header.h"
#include "hbk/innodb/trx_sys.h"

namespace hbk::testing {
namespace {

namespace fs = std::filesystem;

constexpr size_t kDifferencesMax = 100;
constexpr size_t kXdesArray = 150;
constexpr size_t kXdesBitmap = 24;

using FileMap = std::map<std::string, std::string>;  // name in the directory -> path

FileMap ListFiles(const std::string& dir) {
  FileMap files;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), dir).string()] = entry.path().string();
  }
  return files;
}

bool HoldsPages(const std::string& name) {
  const std::string base = fs::path(name).filename().string();
  return base.ends_with(".ibd") || base.starts_with("ibdata") ||
         (base.size() == 7 && base.starts_with("undo"));
}

Result<std::vector<uint8_t>> ReadBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<uint8_t> bytes(fs::file_size(path));
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!in) return FailedError("reading " + path);
  return bytes;
}

// Without an allocation for each file: there may be thousands of comparisons.
bool AreEqual(const std::string& a, const std::string& b) {
  constexpr size_t kPieceBytes = 256 << 10;
  static thread_local std::array<char, kPieceBytes> of_a;
  static thread_local std::array<char, kPieceBytes> of_b;
  if (fs::file_size(a) != fs::file_size(b)) return false;
  std::ifstream in_a(a, std::ios::binary);
  std::ifstream in_b(b, std::ios::binary);
  while (in_a && in_b) {
    in_a.read(of_a.data(), kPieceBytes);
    in_b.read(of_b.data(), kPieceBytes);
    if (in_a.gcount() != in_b.gcount() ||
        !std::equal(of_a.begin(), of_a.begin() + in_a.gcount(), of_b.begin()))
      return false;
  }
  return in_a.eof() && in_b.eof();
}

// One tablespace file of both sides.
class FileComparer {
 public:
  FileComparer(std::string name, ByteView expected, ByteView actual, const PageKeys& keys,
               PageComparison& result)
      : name_(std::move(name)),
        expected_(expected),
        actual_(actual),
        keys_(keys),
        result_(result),
        share_(result.by_database[fs::path(name_).parent_path().string()]) {}

  void Run() {
    const auto first = innodb::ClassifyFirstPage(
        expected_.first(std::min<size_t>(expected_.size(), 65536)), expected_.size(), 0);
    if (first.kind != innodb::FirstPageKind::kValid) {
      if (!std::equal(expected_.begin(), expected_.end(), actual_.begin(), actual_.end()))
        Add(fmt::format("{}: no valid page 0, and the bytes differ", name_));
      return;
    }
    header_ = first.header;
    size_ = header_.flags.physical_size();
    if (expected_.size() != actual_.size())
      Add(fmt::format("{}: {} and {} bytes", name_, expected_.size(), actual_.size()));
    if (header_.space_id == 0) {
      doublewrite_ = innodb::ParseDoublewriteBuffer(Page(expected_, innodb::kTrxSysPageNo));
    }
    const size_t page_count = std::min(expected_.size(), actual_.size()) / size_;
    for (size_t page = 0; page < page_count; ++page)
      ComparePage(static_cast<innodb::PageNo>(page));
  }

 private:
  [[nodiscard]] ByteView Page(ByteView file, size_t number) const {
    return file.subspan(number * size_, size_);
  }

  void ComparePage(innodb::PageNo number) {
    if (doublewrite_.has_value() && doublewrite_->Contains(number)) return;
    ++result_.page_count;
    const ByteView a = Page(expected_, number);
    const ByteView b = Page(actual_, number);
    const bool is_encrypted = number != 0 && IsEncrypted(a);
    const bool is_encoded =
        is_encrypted || (number != 0 && (IsCompressed(a) || IsCompressed(b) || IsEncrypted(b)));
    if (!IsAllZero(a)) ++share_.page_count;
    if (is_encoded) ++share_.encoded_page_count;
    if (std::ranges::equal(a, b)) return;
    if (IsFree(expected_, number) && IsFree(actual_, number)) {
      ++result_.freed_page_count;
      return;
    }
    if (!is_encoded) return AddDifference(number, a, b);
    if (is_encrypted && !IsEncrypted(b)) {
      return Add(fmt::format("{} page {}: is no longer encrypted", name_, number));
    }
    const auto plain_a = PageDecoder(header_, expected_, keys_).Decode(a);
    const auto plain_b = PageDecoder(header_, actual_, keys_).Decode(b);
    if (!plain_a.ok() || !plain_b.ok()) {
      return Add(fmt::format("{} page {}: expected set: {}, actual set: {}", name_, number,
                             plain_a.status().ToString(), plain_b.status().ToString()));
    }
    if (plain_a.value() != plain_b.value()) AddDifference(number, plain_a.value(), plain_b.value());
  }

  // Page 0 is never either; of the others their own header tells.
  [[nodiscard]] bool IsEncrypted(ByteView page) const {
    const size_t key_version = header_.flags.is_full_crc32() ? 0 : innodb::kFilKeyVersion;
    return header_.crypt.has_value() && header_.crypt->type == 1 &&
           LoadBe32(page, key_version) != 0 &&
           (header_.flags.is_full_crc32() ||
            LoadBe16(page, innodb::kFilType) != innodb::kPageCompressed);
  }
  [[nodiscard]] bool IsCompressed(ByteView page) const {
    const uint16_t type = LoadBe16(page, innodb::kFilType);
    return header_.flags.is_full_crc32()
               ? header_.flags.is_page_compressed() && (type & 0x8000) != 0
               : type == innodb::kPageCompressed || type == innodb::kPageCompressedEncrypted;
  }

  void AddDifference(innodb::PageNo number, ByteView a, ByteView b) {
    const auto in_a = std::mismatch(a.begin(), a.end(), b.begin()).first;
    const auto last = std::mismatch(a.rbegin(), a.rend(), b.rbegin()).first;
    Add(fmt::format("{} page {}: bytes {}..{} differ, LSN {} and {}, type {}", name_, number,
                    in_a - a.begin(), a.rend() - last - 1, innodb::PageLsn(a), innodb::PageLsn(b),
                    LoadBe16(a, innodb::kFilType)));
  }

  // By the extent descriptor of the file itself.
  [[nodiscard]] bool IsFree(ByteView file, innodb::PageNo page) const {
    if (page >= LoadBe32(file, innodb::kFspFreeLimit)) return true;
    const size_t logical = header_.flags.logical_size();
    const size_t extent = logical < 16384 ? (1U << 20) / logical : 64;
    const size_t entry_bytes = kXdesBitmap + extent / 4;
    const size_t descriptor = page & ~(size_ - 1);
    if ((descriptor + 1) * size_ > file.size()) return false;
    const size_t entry = kXdesArray + entry_bytes * ((page % size_) / extent);
    const size_t bit = page % extent * 2;
    return (Page(file, descriptor)[entry + kXdesBitmap + bit / 8] >> (bit % 8) & 1) != 0;
  }

  void Add(std::string text) {
    ++result_.difference_count;
    ++share_.difference_count;
    if (result_.differences.size() < kDifferencesMax)
      result_.differences.push_back(std::move(text));
  }

  std::string name_;
  ByteView expected_;
  ByteView actual_;
  const PageKeys& keys_;
  PageComparison& result_;
  PageComparison::Share& share_;
  innodb::TablespaceHeader header_;
  size_t size_ = 0;
  std::optional<innodb::DoublewriteBuffer> doublewrite_;
};

}  // namespace

Result<PageComparison> ComparePages(const std::string& expected_dir, const std::string& actual_dir,
                                    const PageKeys& keys) {
  PageComparison result;
  const FileMap expected = ListFiles(expected_dir);
  const FileMap actual = ListFiles(actual_dir);
  std::set<std::string> names;
  for (const auto& [name, path] : expected)
    if (HoldsPages(name)) names.insert(name);
  for (const auto& [name, path] : actual)
    if (HoldsPages(name)) names.insert(name);
  for (const std::string& name : names) {
    const auto a = expected.find(name);
    const auto b = actual.find(name);
    if (a == expected.end() || b == actual.end()) {
      ++result.difference_count;
      result.differences.push_back(
          name + (a == expected.end() ? ": only in the actual set" : ": only in the expected set"));
      continue;
    }
    ++result.file_count;
    HBK_ASSIGN_OR_RETURN(const std::vector<uint8_t> a_bytes, ReadBytes(a->second));
    HBK_ASSIGN_OR_RETURN(const std::vector<uint8_t> b_bytes, ReadBytes(b->second));
    FileComparer(name, a_bytes, b_bytes, keys, result).Run();
  }
  return result;
}

Result<std::vector<std::string>> CompareFiles(const std::string& expected_dir,
                                              const std::string& actual_dir,
                                              const std::vector<std::string>& ignored) {
  std::vector<std::string> differences;
  FileMap expected = ListFiles(expected_dir);
  FileMap actual = ListFiles(actual_dir);
  for (const std::string& name : ignored) {
    expected.erase(name);
    actual.erase(name);
  }
  for (const auto& [name, path] : expected) {
    const auto other = actual.find(name);
    if (other == actual.end()) {
      differences.push_back(name + ": missing");
      continue;
    }
    if (AreEqual(path, other->second)) continue;
    HBK_ASSIGN_OR_RETURN(const std::vector<uint8_t> a, ReadBytes(path));
    HBK_ASSIGN_OR_RETURN(const std::vector<uint8_t> b, ReadBytes(other->second));
    const auto at = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
    differences.push_back(
        fmt::format("{}: {} and {} bytes, differ from offset {} on", name, a.size(), b.size(), at));
  }
  for (const auto& [name, path] : actual)
    if (!expected.contains(name)) differences.push_back(name + ": should not be there");
  return differences;
}

}  // namespace hbk::testing
