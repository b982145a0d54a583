#include "plain_copy.h"

#include <gtest/gtest.h>

#include "hbk/innodb/tablespace_flags.h"
#include "hbk/io/file_system.h"

#include "sparse_copy.h"

namespace hbk::prepare {
namespace {

manifest::ManifestFile WithFlags(uint32_t flags) {
  manifest::ManifestFile file;
  file.space = manifest::SpaceFacts{7, 16384, flags};
  return file;
}

TEST(PlainCopyTest, OnlyPageCompressedFilesLiveFromSmallHoles) {
  const uint32_t plain = innodb::TablespaceFlags::FullCrc32(16384).raw();
  constexpr uint32_t kZlib = 1 << 5;  // of full_crc32: the algorithm
  EXPECT_EQ(HoleBytesOf(manifest::ManifestFile()), kUsualHoleBytes);
  EXPECT_EQ(HoleBytesOf(WithFlags(plain)), kUsualHoleBytes);
  EXPECT_EQ(HoleBytesOf(WithFlags(plain | kZlib)), io::kDirectAlignment);
}

}  // namespace
}  // namespace hbk::prepare
