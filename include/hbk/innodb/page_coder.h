// Between the image of a page in its file and its frame, the plain form that redo speaks of.
//
// An image may be page_compressed, encrypted, or both: each page says for itself, and pages of all
// kinds and of several key versions meet in one file. Decoding undoes what the image says.
// Encoding does what a server would do with the page.
//
// Frames have physical_size bytes and no valid checksum; neither does a frame carry a key version.
//
// Format   docs/format/encryption.md; docs/format/innodb-pages.md, "Page compression".
// Errors   kCorruption: a damaged image, with what is wrong. kMissingKey: no key, or another one
//          than the page was encrypted with; with key id and version. kUnsupported: a codec that
//          this build has not.
// Threads  A coder: any number at a time.
// Source   MariaDB Server 10.11, fil0crypt.cc, fil0pagecompress.cc (read, not copied); verified on
//          files of 10.11.19.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "hbk/base/bytes.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/codec/page_codec.h"
#include "hbk/crypto/key_source.h"
#include "hbk/innodb/page_image.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/tablespace_header.h"
#include "hbk/innodb/types.h"

namespace hbk::innodb {

class PageCoder {
 public:
  // `crypt` is what page 0 says in the end: pages to come are encoded by it, and its IV is the one
  // of all pages. Borrows `keys`; without them (null) whatever needs a key fails.
  PageCoder(SpaceId space, const TablespaceFlags& flags, const std::optional<CryptData>& crypt,
            crypto::KeySource* keys);

  // False if images of such a file are frames with a checksum, and never anything else.
  static bool IsNeeded(const TablespaceFlags& flags, const std::optional<CryptData>& crypt) {
    return flags.is_page_compressed() || crypt.has_value();
  }

  // Checks the image as CheckPage does, and further as far as a key and a codec allow. An image of
  // zeros gives a frame of zeros. The two do not overlap.
  Result<PageCoding> Decode(ByteView image, PageId id, MutableByteView frame);

  // Seals the frame and makes its image, with zeros where it is short; `was` is how the page was
  // coded before, nothing for a new one. Returns how many bytes of the image count. A page keeps
  // its key version; a clear one of an encrypted file is encrypted with the newest.
  Result<size_t> Encode(MutableByteView frame, PageId id, const PageCoding& was,
                        MutableByteView image);

  // The key version that new pages are encrypted with; 0 if they are not.
  Result<uint32_t> NewPageVersion();
  // Whether there is a key of that version.
  Status CheckKey(uint32_t version) { return DataKeyOf(version).status(); }
  // Whether the key of that version has decrypted a page.
  [[nodiscard]] bool IsProven(uint32_t version) const;
  [[nodiscard]] bool HasProvenKey() const;  // of any version
  // In the old format, where each page names its algorithm: the one for pages that have none yet.
  void SetAlgorithm(codec::Algorithm algorithm) { algorithm_ = algorithm; }

  [[nodiscard]] const TablespaceFlags& flags() const { return flags_; }
  [[nodiscard]] const std::optional<CryptData>& crypt() const { return crypt_; }

 private:
  struct DataKey {
    crypto::Block key{};
    bool is_proven = false;
  };

  Result<PageCoding> DecodeFullCrc32(ByteView image, PageId id, MutableByteView frame);
  Result<PageCoding> DecodeOld(ByteView image, PageId id, MutableByteView frame);
  Status DecodeOldCompressed(ByteView image, PageId id, const PageCoding& coding,
                             MutableByteView frame);
  Result<size_t> EncodeFullCrc32(MutableByteView frame, PageId id, const PageCoding& coding,
                                 MutableByteView image);
  Result<size_t> EncodeOld(MutableByteView frame, PageId id, const PageCoding& coding,
                           MutableByteView image);
  Result<PageCoding> CodingToWrite(ByteView frame, PageId id, const PageCoding& was);
  Result<size_t> Compress(codec::Algorithm algorithm, ByteView frame, MutableByteView out);

  [[nodiscard]] bool IsEncryptedSpace() const;
  Status Decrypt(ByteView image, PageId id, uint32_t version, ByteView in, MutableByteView out);
  Status Encrypt(ByteView image, PageId id, uint32_t version, MutableByteView bytes);
  Result<crypto::Block> DataKeyOf(uint32_t version);
  void Prove(uint32_t version);
  // An image that is whole, but whose content makes no sense.
  Status BadContent(uint32_t version, Status corruption) const;

  const SpaceId space_;
  const TablespaceFlags flags_;
  const std::optional<CryptData> crypt_;
  crypto::KeySource* const keys_;
  std::atomic<codec::Algorithm> algorithm_;

  mutable Mutex mutex_;
  std::map<uint32_t, DataKey> data_keys_ HBK_GUARDED_BY(mutex_);
  std::optional<uint32_t> new_page_version_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::innodb
