#include "tests/support/coded_tablespace.h"

#include <algorithm>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/xdes.h"

#include "tests/support/page_builder.h"

namespace hbk::testing {

innodb::CryptData MakeCryptData(uint32_t key_id, uint32_t min_key_version) {
  innodb::CryptData crypt;
  crypt.type = 1;
  crypt.min_key_version = min_key_version;
  crypt.key_id = key_id;
  crypt.iv.fill(static_cast<uint8_t>(0x50 + key_id));
  return crypt;
}

std::string MakeCryptFirstPage(const innodb::TablespaceFlags& flags, innodb::SpaceId space,
                               uint32_t size_pages, innodb::Lsn lsn,
                               const std::optional<innodb::CryptData>& crypt) {
  std::string text = MakeFirstPage(flags, space, size_pages, lsn);
  if (!crypt.has_value()) return text;
  const MutableByteView page = MutableBytes(text);
  const size_t at = innodb::kFilData + innodb::kXdesArray +
                    innodb::XdesBytes(flags) * flags.physical_size() / innodb::ExtentPages(flags);
  constexpr std::string_view kMagic = "s\x0e\x0cREt";
  std::copy(kMagic.begin(), kMagic.end(), page.begin() + static_cast<std::ptrdiff_t>(at));
  page[at + 6] = crypt->type;
  page[at + 7] = static_cast<uint8_t>(crypt->iv.size());
  std::copy(crypt->iv.begin(), crypt->iv.end(), page.begin() + static_cast<std::ptrdiff_t>(at + 8));
  StoreBe32(page, at + 24, crypt->min_key_version);
  StoreBe32(page, at + 28, crypt->key_id);
  page[at + 32] = crypt->option;
  innodb::SealPage(page, flags, {space, 0});
  return text;
}

std::string MakeCodedPage(innodb::PageCoder& coder, innodb::PageId id, innodb::Lsn lsn,
                          const innodb::PageCoding& was) {
  std::string frame = MakePage(coder.flags().physical_size(), id, lsn, innodb::kPageIndex);
  for (size_t i = innodb::kFilData; i < frame.size() - innodb::kFilTrailer; ++i)
    frame[i] = "rows and rows "[i % 14];
  std::string image(frame.size(), '\0');
  HBK_CHECK(coder.Encode(MutableBytes(frame), id, was, MutableBytes(image)).ok());
  return image;
}

std::string MakeCodedTablespace(const innodb::TablespaceFlags& flags, innodb::SpaceId space,
                                uint32_t page_count, innodb::Lsn lsn,
                                const std::optional<innodb::CryptData>& crypt,
                                crypto::KeySource* keys) {
  innodb::PageCoder coder(space, flags, crypt, keys);
  std::string file = MakeCryptFirstPage(flags, space, page_count, lsn, crypt);
  for (innodb::PageNo page = 1; page < page_count; ++page)
    file += MakeCodedPage(coder, {space, page}, lsn);
  return file;
}

}  // namespace hbk::testing
