// hbk_chunks: any bytes are lists that are found by their digests alone, or are refused. Read as
// they are, and with a checksum that fits.
#include <cstdint>
#include <string>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"
#include "hbk/base/crc32c.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/manifest/chunk_hashes.h"

namespace {

using hbk::manifest::ChunkHashes;

void Check(hbk::ByteView bytes) {
  const auto hashes = ChunkHashes::Parse(bytes);
  if (!hashes.ok()) {
    HBK_CHECK(hashes.status().code() == hbk::StatusCode::kCorruption ||
              hashes.status().code() == hbk::StatusCode::kUnsupported);
    return;
  }
  const std::string rendered = hashes->Render();
  // Lists that are there twice, or of one chunk, are left out.
  HBK_CHECK(rendered.size() <= bytes.size());
  const auto again = ChunkHashes::Parse(hbk::AsBytes(rendered));
  HBK_CHECK(again.ok() && again->Render() == rendered);
}

// The input as one list.
void CheckList(hbk::ByteView bytes) {
  const size_t count = bytes.size() / hbk::filter::kChunkHashBytes;
  if (count < 2) return;
  const hbk::ByteView list = bytes.first(count * hbk::filter::kChunkHashBytes);
  ChunkHashes hashes;
  hashes.Add({list.begin(), list.end()});
  const auto read = ChunkHashes::Parse(hbk::AsBytes(hashes.Render()));
  HBK_CHECK(read.ok());
  const std::string digest = hbk::filter::DigestOfChunkHashes(list);
  const uint64_t size = count * hbk::filter::TreeDigest::kChunkBytes;
  const hbk::ByteView found = read->Find(size, digest);
  HBK_CHECK(hbk::AsText(found) == hbk::AsText(list));
  HBK_CHECK(read->Find(size + 1, digest).empty());
  HBK_CHECK(read->Find(size - hbk::filter::TreeDigest::kChunkBytes, digest).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> bytes(data, data + size);
  Check(bytes);
  CheckList(bytes);
  if (size < 4) return 0;
  hbk::StoreLe32(bytes, size - 4, hbk::Crc32c(hbk::ByteView(bytes).first(size - 4)));
  Check(bytes);
  return 0;
}
