// Tablespaces whose pages are encrypted or page_compressed, for tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hbk/crypto/key_source.h"
#include "hbk/innodb/page_coder.h"
#include "hbk/innodb/tablespace_header.h"

namespace hbk::testing {

// Of an encrypted tablespace; its IV is made of the key id.
innodb::CryptData MakeCryptData(uint32_t key_id = 1, uint32_t min_key_version = 1);

// Page 0 as MakeFirstPage makes it, with encryption metadata.
std::string MakeCryptFirstPage(const innodb::TablespaceFlags& flags, innodb::SpaceId space,
                               uint32_t size_pages, innodb::Lsn lsn,
                               const std::optional<innodb::CryptData>& crypt);

// The image of a page of text, encoded as `was` says where the tablespace allows it.
std::string MakeCodedPage(innodb::PageCoder& coder, innodb::PageId id, innodb::Lsn lsn,
                          const innodb::PageCoding& was = {});

// A file of page 0 and coded pages.
std::string MakeCodedTablespace(const innodb::TablespaceFlags& flags, innodb::SpaceId space,
                                uint32_t page_count, innodb::Lsn lsn,
                                const std::optional<innodb::CryptData>& crypt,
                                crypto::KeySource* keys);

}  // namespace hbk::testing
