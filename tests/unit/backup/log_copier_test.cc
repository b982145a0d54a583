#include "log_copier.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/crc32c.h"
#include "hbk/redo/log_block.h"
#include "hbk/redo/log_decoder.h"

#include "tests/support/fixed_keys.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup::log_copier_test {
namespace {

using ::hbk::testing::BlockLogBuilder;
using ::hbk::testing::FixedKeys;
using ::hbk::testing::FromHex;
using ::hbk::testing::IsOk;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::MtrBuilder;

constexpr Lsn kFirstLsn = 51200 + 100;
constexpr const char* kTargetPath = "/backup/ib_logfile0";

MutableByteView Bytes(std::string& text) {
  return {reinterpret_cast<uint8_t*>(text.data()), text.size()};
}

class LogCopierTest : public ::testing::Test {
 protected:
  LogCopierTest() {
    fs_.PutDirectory("/backup");
    auto target = RedoTarget::Create(fs_, kTargetPath);
    HBK_CHECK(target.ok());
    target_ = std::move(*target);
  }

  std::string Copied() {
    HBK_CHECK(copier_->Finish().ok());
    HBK_CHECK(target_->Finish().ok());
    return fs_.Contents(kTargetPath);
  }

  MemFileSystem fs_;
  std::unique_ptr<RedoTarget> target_;
  std::unique_ptr<LogCopier> copier_;
};

class BlockCopierTest : public LogCopierTest {
 protected:
  // The log does not wrap here: that is the ring's.
  void Open() {
    const std::string file = log_.file();
    const auto head = redo::ParseLogHead(AsBytes(file));
    HBK_CHECK(head.ok());
    copier_ = LogCopier::Create(*head, *redo::LogGeometry::Of(*head, file.size()), *target_);
  }

  Status Take(const std::string& file, Lsn fence) {
    const Lsn begin = copier_->read_begin();
    const auto offset =
        static_cast<size_t>(redo::kBlockLogHeadBytes + begin - redo::LogBlockOf(kFirstLsn));
    std::string part = file.substr(offset, static_cast<size_t>(copier_->ReadEnd(fence) - begin));
    return copier_->Take(Bytes(part), fence);
  }

  static MtrBuilder Mtr(size_t data_bytes) {
    return MtrBuilder().Write({7, 3}, 100, std::string(data_bytes, 'x'));
  }

  BlockLogBuilder log_{kFirstLsn, redo::kBlockLogHeadBytes + (256 << 10)};
};

TEST_F(BlockCopierTest, CopiesBlocksAsTheyAre) {
  for (int i = 0; i < 100; ++i)
    log_.Append(Mtr(static_cast<size_t>(i) * 10 + 1));
  Open();

  ASSERT_THAT(Take(log_.file(), log_.end_lsn()), IsOk());

  EXPECT_EQ(copier_->copied_lsn(), log_.end_lsn());
  EXPECT_EQ(copier_->whole_lsn(), log_.end_lsn());
  const std::string copied = Copied();
  EXPECT_EQ(copied.size() % 512, 0U);
  EXPECT_EQ(copied, log_.file().substr(redo::kBlockLogHeadBytes, copied.size()));
}

TEST_F(BlockCopierTest, LastBlockIsTakenAgainUntilItIsFull) {
  Open();
  for (int i = 0; i < 300; ++i) {
    log_.Append(Mtr(static_cast<size_t>(i % 50) + 1));
    ASSERT_THAT(Take(log_.file(), log_.end_lsn()), IsOk());
    ASSERT_EQ(copier_->copied_lsn(), log_.end_lsn());
  }

  const std::string copied = Copied();

  EXPECT_EQ(copied, log_.file().substr(redo::kBlockLogHeadBytes, copied.size()));
  EXPECT_EQ(redo::LogBlockOf(kFirstLsn) + copied.size(), redo::LogBlockOf(log_.end_lsn()) + 512);
}

TEST_F(BlockCopierTest, MtrBeyondTheFenceIsNotCounted) {
  const Lsn fence = log_.Append(Mtr(50));
  log_.Append(Mtr(50));
  Open();

  ASSERT_THAT(Take(log_.file(), fence), IsOk());

  EXPECT_EQ(copier_->copied_lsn(), fence);
}

TEST_F(BlockCopierTest, TornBlockIsTakenLater) {
  const Lsn first = log_.Append(Mtr(300));
  for (int i = 0; i < 10; ++i)
    log_.Append(Mtr(400));
  Open();
  std::string torn = log_.file();
  torn[redo::kBlockLogHeadBytes + 512 + 100] ^= 1;

  ASSERT_THAT(Take(torn, log_.end_lsn()), IsOk());
  EXPECT_EQ(copier_->copied_lsn(), first);
  EXPECT_EQ(copier_->end_reason(), "block checksum");
  ASSERT_THAT(Take(log_.file(), log_.end_lsn()), IsOk());

  EXPECT_EQ(copier_->copied_lsn(), log_.end_lsn());
  const std::string copied = Copied();
  EXPECT_EQ(copied, log_.file().substr(redo::kBlockLogHeadBytes, copied.size()));
}

TEST_F(BlockCopierTest, TellsWhatHappensToFiles) {
  log_.Append(MtrBuilder().FileCreate(12, "./d/b.ibd"));
  log_.Append("");
  log_.Append(MtrBuilder().InitPage({12, 0}));
  Open();
  ASSERT_THAT(Take(log_.file(), log_.end_lsn()), IsOk());

  const SpaceChanges changes = copier_->TakeChanges();

  ASSERT_EQ(changes.size(), 1U);
  EXPECT_TRUE(changes.at(12).is_created && changes.at(12).has_first_page);
  EXPECT_FALSE(changes.at(12).is_modified);
  EXPECT_EQ(changes.at(12).last_path, "./d/b.ibd");
}

TEST_F(BlockCopierTest, EncryptedBlocksNeedNoKey) {
  const redo::LogCrypt crypt = {.key_id = 1, .key_version = 7, .message = {1}, .nonce = 5};
  FixedKeys keys;
  keys.Add(1, 7);
  log_.Encrypt(crypt, keys.mode(), *crypto::DeriveDataKey(*keys.GetKey(1, 7), crypt.message));
  Open();
  for (int i = 0; i < 300; ++i) {
    log_.Append(MtrBuilder().FileModify(9, "./d/a.ibd").Write({9, 3}, 100, std::string(30, 'x')));
    ASSERT_THAT(Take(log_.file(), log_.end_lsn()), IsOk());
    ASSERT_EQ(copier_->copied_lsn(), log_.end_lsn());
    ASSERT_EQ(copier_->whole_lsn(), log_.end_lsn());
  }

  EXPECT_TRUE(copier_->TakeChanges().empty());
  const std::string copied = Copied();
  EXPECT_EQ(copied, log_.file().substr(redo::kBlockLogHeadBytes, copied.size()));
}

TEST_F(BlockCopierTest, PartOfAnEncryptedMtrIsNotCalledWhole) {
  const redo::LogCrypt crypt = {.key_id = 1, .key_version = 7, .message = {1}, .nonce = 5};
  log_.Encrypt(crypt, crypto::CipherMode::kCbc, {});
  Open();
  const Lsn first = log_.Append(Mtr(50));
  ASSERT_THAT(Take(log_.file(), first), IsOk());
  log_.Append(Mtr(2000));
  std::string torn = log_.file();
  torn[redo::kBlockLogHeadBytes + 1024 + 100] ^= 1;

  ASSERT_THAT(Take(torn, log_.end_lsn()), IsOk());

  EXPECT_EQ(copier_->whole_lsn(), first);
  EXPECT_EQ(copier_->copied_lsn(), redo::LogBlockOf(kFirstLsn) + 1024);
}

// An encrypted ring is split by what is plain in it.
class EncryptedMtrCopierTest : public LogCopierTest {
 protected:
  void Open(redo::LogEncryption encryption) {
    redo::LogHead head;
    head.header.is_encrypted = true;
    head.header.encryption = encryption;
    head.header.first_lsn = head.checkpoint.checkpoint_lsn = 20000;
    copier_ =
        LogCopier::Create(head, redo::LogGeometry(20000, redo::kLogHeadBytes + 4096), *target_);
  }

  static std::string Frame(const std::string& body) {
    const std::string nonce = FromHex("0001020304050607");
    std::string crc(4, '\0');
    StoreBe32(Bytes(crc), 0, Crc32cExtend(Crc32c(AsBytes(body)), AsBytes(nonce)));
    return body + '\x01' + nonce + crc;
  }
};

TEST_F(EncryptedMtrCopierTest, CopiesWithoutAKey) {
  Open(redo::LogEncryption::kRecords);
  std::string log =
      FromHex("34 b8e79761 01 000000000000bcd7 ffff8a94") + Frame(FromHex("b5 1122334455"));

  ASSERT_THAT(copier_->Take(Bytes(log), 20000 + log.size()), IsOk());

  EXPECT_EQ(copier_->copied_lsn(), 20000 + log.size());
  EXPECT_TRUE(copier_->TakeChanges().empty());
  EXPECT_EQ(Copied(), log);
}

TEST_F(EncryptedMtrCopierTest, OlderFormatStillTellsOfFiles) {
  Open(redo::LogEncryption::kPayloads);
  // Behind the page id of the WRITE stands what no plain record could hold.
  std::string log = Frame(MtrBuilder().FileModify(9, "./d/a.ibd").InitPage({9, 0}).body() +
                          FromHex("36 0903 ffffffff"));

  ASSERT_THAT(copier_->Take(Bytes(log), 20000 + log.size()), IsOk());

  EXPECT_EQ(copier_->copied_lsn(), 20000 + log.size());
  const SpaceChanges changes = copier_->TakeChanges();
  EXPECT_EQ(changes.at(9).last_path, "./d/a.ibd");
  EXPECT_TRUE(changes.at(9).has_first_page);
}

}  // namespace
}  // namespace hbk::backup::log_copier_test
