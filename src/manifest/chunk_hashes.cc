#include "hbk/manifest/chunk_hashes.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/crc32c.h"
#include "hbk/filter/tree_digest.h"

namespace hbk::manifest {
namespace {

using filter::kChunkHashBytes;

constexpr uint64_t kMagic = 0x6B6E7568636B6268;  // "hbkchunk"
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 16;
constexpr size_t kListHeadBytes = 8;
constexpr size_t kEndBytes = 4;
constexpr uint64_t kFileBytesMax = 1ULL << 30;
constexpr uint32_t kFileMode = 0600;

uint64_t ChunkCountOf(uint64_t size) {
  const uint64_t chunk = filter::TreeDigest::kChunkBytes;
  return size / chunk + (size % chunk != 0 ? 1 : 0);
}

template <typename Store>
void AppendNumber(std::string& text, size_t size, Store store) {
  uint8_t bytes[8] = {};
  store(MutableByteView(bytes));
  text.append(reinterpret_cast<const char*>(bytes), size);
}

void AppendLe32(std::string& text, uint32_t value) {
  AppendNumber(text, 4, [value](MutableByteView out) { StoreLe32(out, 0, value); });
}

void AppendLe64(std::string& text, uint64_t value) {
  AppendNumber(text, 8, [value](MutableByteView out) { StoreLe64(out, 0, value); });
}

std::set<std::string_view> DigestsOf(const std::vector<ManifestFile>& files) {
  std::set<std::string_view> digests;
  for (const ManifestFile& file : files)
    digests.insert(file.digest);
  return digests;
}

Status Unusable(std::string_view why) {
  return CorruptionError(fmt::format("{}: {}", kChunkHashesName, why));
}

}  // namespace

void ChunkHashes::Add(std::vector<uint8_t> hashes) {
  if (hashes.size() <= kChunkHashBytes) return;
  std::string digest = filter::DigestOfChunkHashes(hashes);
  lists_.insert_or_assign(std::move(digest), std::move(hashes));
}

ByteView ChunkHashes::Find(uint64_t size, const std::string& digest) const {
  const auto list = lists_.find(digest);
  if (list == lists_.end() || list->second.size() != ChunkCountOf(size) * kChunkHashBytes)
    return {};
  return list->second;
}

void ChunkHashes::KeepOnly(const std::vector<ManifestFile>& files) {
  const auto digests = DigestsOf(files);
  std::erase_if(lists_, [&](const auto& list) { return !digests.contains(list.first); });
}

bool ChunkHashes::AreOf(const std::vector<ManifestFile>& files) const {
  const auto digests = DigestsOf(files);
  return std::all_of(lists_.begin(), lists_.end(),
                     [&](const auto& list) { return digests.contains(list.first); });
}

std::string ChunkHashes::Render() const {
  std::string text;
  AppendLe64(text, kMagic);
  AppendLe32(text, kVersion);
  AppendLe32(text, static_cast<uint32_t>(lists_.size()));
  for (const auto& [digest, hashes] : lists_) {
    AppendLe64(text, hashes.size() / kChunkHashBytes);
    text += AsText(hashes);
  }
  AppendLe32(text, Crc32c(AsBytes(text)));
  return text;
}

Result<ChunkHashes> ChunkHashes::Parse(ByteView bytes) {
  if (bytes.size() < kHeaderBytes + kEndBytes || LoadLe64(bytes, 0) != kMagic)
    return Unusable("it is no list of chunks");
  const ByteView body = bytes.first(bytes.size() - kEndBytes);
  if (Crc32c(body) != LoadLe32(bytes, body.size())) return Unusable("its checksum is wrong");
  if (LoadLe32(bytes, 8) != kVersion)
    return UnsupportedError(fmt::format("{}: format {}", kChunkHashesName, LoadLe32(bytes, 8)));
  ChunkHashes hashes;
  ByteView rest = body.subspan(kHeaderBytes);
  for (uint32_t left = LoadLe32(bytes, 12); left != 0; --left) {
    if (rest.size() < kListHeadBytes) return Unusable("it is cut off");
    const uint64_t count = LoadLe64(rest, 0);
    rest = rest.subspan(kListHeadBytes);
    if (count > rest.size() / kChunkHashBytes) return Unusable("it is cut off");
    const ByteView list = rest.first(static_cast<size_t>(count) * kChunkHashBytes);
    hashes.Add({list.begin(), list.end()});
    rest = rest.subspan(list.size());
  }
  if (!rest.empty()) return Unusable("something follows its end");
  return hashes;
}

Result<ChunkHashes> LoadChunkHashes(io::FileSystem& fs, const std::string& backup_dir) {
  HBK_ASSIGN_OR_RETURN(const std::string text,
                       io::ReadFile(fs, io::JoinPath(backup_dir, kChunkHashesName), kFileBytesMax));
  return ChunkHashes::Parse(AsBytes(text));
}

Status StoreChunkHashes(io::FileSystem& fs, const std::string& backup_dir,
                        const ChunkHashes& hashes) {
  const std::string path = io::JoinPath(backup_dir, kChunkHashesName);
  if (!hashes.empty()) return io::WriteFileAtomically(fs, path, hashes.Render(), kFileMode);
  const Status removed = fs.Remove(path);
  if (removed.code() == StatusCode::kNotFound) return OkStatus();
  HBK_RETURN_IF_ERROR(removed);
  return fs.SyncDirectory(backup_dir);
}

}  // namespace hbk::manifest
