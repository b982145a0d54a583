#include "plain_copy.h"

#include "hbk/innodb/tablespace_flags.h"
#include "hbk/io/file_system.h"

#include "sparse_copy.h"

namespace hbk::prepare {
size_t HoleBytesOf(const manifest::ManifestFile& file) {
  if (!file.space) return kUsualHoleBytes;
  const auto flags = innodb::TablespaceFlags::Decode(file.space->flags);
  return flags.ok() && flags->is_page_compressed() ? io::kDirectAlignment : kUsualHoleBytes;
}

}  // namespace hbk::prepare
