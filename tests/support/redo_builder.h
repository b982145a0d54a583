// Builds redo for tests: mini-transaction bodies record by record, framed mini-transactions, logs.
//
// Format   docs/format/redo-log.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hbk/crypto/cipher.h"
#include "hbk/innodb/types.h"
#include "hbk/redo/log_file.h"
#include "hbk/redo/mini_transaction.h"

namespace hbk::testing {

std::string EncodeVarint(uint32_t value);

// Bytes from their hexadecimal form; blanks are allowed anywhere.
std::string FromHex(std::string_view hex);
std::string ToHex(std::string_view bytes);

// The body of one mtr. Like the server, leaves out the page id of a record for the same page, and
// writes offsets relative to the end of the record before. Offsets here are those of the page.
class MtrBuilder {
 public:
  MtrBuilder& FreePage(innodb::PageId page);
  MtrBuilder& InitPage(innodb::PageId page);
  MtrBuilder& Write(innodb::PageId page, uint32_t offset, std::string_view data);
  MtrBuilder& Memset(innodb::PageId page, uint32_t offset, uint32_t length,
                     std::string_view pattern);
  MtrBuilder& Memmove(innodb::PageId page, uint32_t target, uint32_t source, uint32_t length);
  MtrBuilder& Extended(innodb::PageId page, redo::ExtendedKind kind, std::string_view data = {});
  MtrBuilder& Option(innodb::PageId page, std::string_view data);
  MtrBuilder& TrimPages(innodb::SpaceId space, innodb::PageNo first_missing);

  MtrBuilder& FileCreate(innodb::SpaceId space, std::string_view path);
  MtrBuilder& FileDelete(innodb::SpaceId space, std::string_view path);
  MtrBuilder& FileModify(innodb::SpaceId space, std::string_view path);
  MtrBuilder& FileRename(innodb::SpaceId space, std::string_view path, std::string_view new_path);
  MtrBuilder& FileCheckpoint(redo::Lsn checkpoint_lsn);

  // Any record: `first` is the first byte with a length of 0, `content` what follows the length.
  MtrBuilder& Record(uint8_t first, std::string_view content);

  [[nodiscard]] const std::string& body() const { return body_; }

 private:
  void PageRecord(uint8_t type, innodb::PageId page, bool may_be_same_page,
                  std::string_view payload);
  // The offset field of a record at `offset`; tells whether the record can be a same-page one.
  std::string OffsetField(innodb::PageId page, uint32_t offset, bool& may_be_same_page) const;

  std::string body_;
  bool have_page_ = false;
  innodb::PageId page_;
  uint32_t cursor_ = 0;
};

// body + sequence byte + checksum.
std::string FrameMtr(std::string_view body, redo::Lsn start_lsn, const redo::LogGeometry& geometry);

// A log file in memory: a head, and mini-transactions from the checkpoint on.
class LogBuilder {
 public:
  // The checkpoint is at first_lsn until SetCheckpoint.
  LogBuilder(redo::Lsn first_lsn, uint64_t file_size,
             std::string_view creator = "MariaDB 10.11.19");

  // Appends one mtr, wrapping where the file ends. Returns its end LSN.
  redo::Lsn Append(std::string_view body);
  redo::Lsn Append(const MtrBuilder& mtr) { return Append(mtr.body()); }

  LogBuilder& SetCheckpoint(redo::Checkpoint checkpoint);

  [[nodiscard]] redo::Lsn end_lsn() const { return end_lsn_; }
  [[nodiscard]] const redo::LogGeometry& geometry() const { return geometry_; }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  redo::LogGeometry geometry_;
  redo::Lsn end_lsn_;
  std::string creator_;
  std::string file_;
};

// A log of 10.5 to 10.7 in memory: a head, and mini-transactions from the checkpoint on. The
// checkpoint's LSN is `first_lsn`, at the first block behind the head.
class BlockLogBuilder {
 public:
  BlockLogBuilder(redo::Lsn first_lsn, uint64_t file_size,
                  std::string_view creator = "MariaDB 10.5.23");
  BlockLogBuilder& Encrypt(const redo::LogCrypt& crypt, crypto::CipherMode mode,
                           const crypto::Block& data_key);

  // Appends one mtr, wrapping where the file ends. Returns its end LSN. An empty body is legal.
  redo::Lsn Append(std::string_view body);
  redo::Lsn Append(const MtrBuilder& mtr) { return Append(mtr.body()); }
  // Where the list of files of the checkpoint is.
  BlockLogBuilder& SetEndLsn(redo::Lsn end_lsn);

  [[nodiscard]] redo::Lsn end_lsn() const { return end_lsn_; }
  // All blocks sealed, the last one as far as it goes.
  [[nodiscard]] std::string file() const;

 private:
  [[nodiscard]] std::string SealedBlock(redo::Lsn block_lsn) const;

  redo::LogHead head_;
  crypto::CipherMode mode_ = crypto::CipherMode::kCbc;
  crypto::Block data_key_{};
  redo::Lsn first_lsn_;
  redo::Lsn end_lsn_;
  uint64_t file_size_;
  std::string stream_;  // from the block of first_lsn on, with room for headers and trailers
};

}  // namespace hbk::testing
