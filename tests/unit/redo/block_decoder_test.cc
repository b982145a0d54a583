#include "block_decoder.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/redo/log_block.h"

#include "tests/support/fixed_keys.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::redo {
namespace {

using ::hbk::testing::BlockLogBuilder;
using ::hbk::testing::FixedKeys;
using ::hbk::testing::IsOk;
using ::hbk::testing::IsOkAndHolds;
using ::hbk::testing::MtrBuilder;
using ::hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Lsn kFirstLsn = 51200 + 12;
constexpr uint64_t kFileBytes = kBlockLogHeadBytes + (1 << 20);

std::string Body(size_t data_bytes, char fill = 'd') {
  return MtrBuilder().Write({5, 6}, 100, std::string(data_bytes, fill)).body();
}

struct Decoded {
  std::vector<std::string> bodies;
  std::vector<Lsn> ends;
  Lsn position = 0;
  std::string_view end_reason;
};

// Shows windows of `step` bytes.
Decoded DecodeAll(LogDecoder& decoder, const std::string& file, size_t step = 4096) {
  const Lsn first = decoder.window_lsn();
  Decoded decoded;
  for (;;) {
    const auto at = static_cast<size_t>(decoder.window_lsn() - first);
    const ByteView rest = AsBytes(file).subspan(kBlockLogHeadBytes + at);
    MiniTransaction mtr;
    const auto outcome = decoder.Next(rest.first(std::min(step, rest.size())), mtr);
    HBK_CHECK(outcome.ok());
    if (*outcome == MtrOutcome::kEndOfLog) {
      decoded.end_reason = decoder.end_reason();
      break;
    }
    if (*outcome != MtrOutcome::kWhole) continue;
    decoded.bodies.emplace_back(AsText(mtr.body));
    decoded.ends.push_back(mtr.end_lsn);
  }
  decoded.position = decoder.position();
  return decoded;
}

TEST(BlockDecoderTest, ReadsMtrsThatSpanBlocks) {
  BlockLogBuilder log(kFirstLsn, kFileBytes);
  std::vector<std::string> bodies;
  std::vector<Lsn> ends;
  for (size_t i = 0; i < 300; ++i) {
    bodies.push_back(Body(1 + i * 7, static_cast<char>('a' + i % 26)));
    ends.push_back(log.Append(bodies.back()));
  }
  for (const size_t step : {512U, 1000U, 65536U}) {
    BlockDecoder decoder(kFirstLsn, std::nullopt);

    const Decoded decoded = DecodeAll(decoder, log.file(), step);

    EXPECT_EQ(decoded.bodies, bodies);
    EXPECT_EQ(decoded.ends, ends);
    EXPECT_EQ(decoded.position, log.end_lsn());
    EXPECT_EQ(decoded.end_reason, "block not full");
  }
}

TEST(BlockDecoderTest, EmptyMtrsAreSkipped) {
  BlockLogBuilder log(kFirstLsn, kFileBytes);
  log.Append("");
  log.Append(Body(10, 'a'));
  log.Append("");
  log.Append("");
  log.Append(Body(10, 'b'));
  log.Append("");
  BlockDecoder decoder(kFirstLsn, std::nullopt);

  const Decoded decoded = DecodeAll(decoder, log.file());

  EXPECT_THAT(decoded.bodies, ElementsAre(Body(10, 'a'), Body(10, 'b')));
  EXPECT_EQ(decoded.position, log.end_lsn());
}

TEST(BlockDecoderTest, EveryPlaceOfABlockCanBeTheEnd) {
  for (size_t data_bytes = 1; data_bytes < 1100; ++data_bytes) {
    BlockLogBuilder log(kFirstLsn, kFileBytes);
    log.Append(Body(data_bytes));
    BlockDecoder decoder(kFirstLsn, std::nullopt);

    const Decoded decoded = DecodeAll(decoder, log.file());

    ASSERT_THAT(decoded.bodies, ElementsAre(Body(data_bytes)));
    ASSERT_EQ(decoded.position, log.end_lsn()) << data_bytes;
  }
}

TEST(BlockDecoderTest, MtrThatIsNotWholeIsNotRead) {
  BlockLogBuilder log(kFirstLsn, kFileBytes);
  const Lsn first = log.Append(Body(200));
  log.Append(Body(2000));
  std::string file = log.file();
  file[kBlockLogHeadBytes + 2 * 512 + 100] ^= 1;
  BlockDecoder decoder(kFirstLsn, std::nullopt);

  const Decoded decoded = DecodeAll(decoder, file);

  EXPECT_EQ(decoded.bodies.size(), 1U);
  EXPECT_EQ(decoded.position, first);
  EXPECT_EQ(decoded.end_reason, "block checksum");
}

TEST(BlockDecoderTest, SeekGoesIntoABlock) {
  BlockLogBuilder log(kFirstLsn, kFileBytes);
  log.Append(Body(700, 'a'));
  const Lsn second = log.Append(Body(700, 'b'));
  log.Append(Body(700, 'c'));
  BlockDecoder decoder(kFirstLsn, std::nullopt);
  decoder.Seek(second);
  ASSERT_EQ(decoder.window_lsn(), LogBlockOf(second));
  const std::string file = log.file();

  MiniTransaction mtr;
  ASSERT_THAT(decoder.Next(AsBytes(file).subspan(kBlockLogHeadBytes + decoder.window_lsn() -
                                                 LogBlockOf(kFirstLsn)),
                           mtr),
              IsOkAndHolds(MtrOutcome::kWhole));
  EXPECT_EQ(AsText(mtr.body), Body(700, 'c'));
}

TEST(BlockDecoderTest, OldBlockBehindAFullOneIsTheEnd) {
  BlockLogBuilder log(kFirstLsn, kFileBytes);
  log.Append(Body(496 - 1 - 9));  // 9 bytes: type, length 2, ids 2, offset 2 and the end
  std::string file = log.file();
  file.replace(kBlockLogHeadBytes + 512, 512, file, kBlockLogHeadBytes, 512);
  BlockDecoder decoder(kFirstLsn, std::nullopt);

  const Decoded decoded = DecodeAll(decoder, file);

  EXPECT_EQ(decoded.bodies.size(), 1U);
  EXPECT_EQ(decoded.end_reason, decoded.position % 512 == 12 ? "block number" : "block not full");
}

class EncryptedBlockDecoderTest : public ::testing::TestWithParam<crypto::CipherMode> {
 protected:
  EncryptedBlockDecoderTest() : keys_(GetParam()) {
    keys_.Add(1, 3);
    header_.container = LogContainer::kBlocks;
    header_.encryption = LogEncryption::kBlocks;
    header_.is_encrypted = true;
    header_.crypt = {.key_id = 1, .key_version = 3, .message = {1, 2, 3}, .nonce = 99};
    const auto key = crypto::DeriveDataKey(*keys_.GetKey(1, 3), header_.crypt.message);
    log_.Encrypt(header_.crypt, GetParam(), *key);
    for (size_t i = 0; i < 50; ++i) {
      bodies_.push_back(Body(1 + i * 17));
      log_.Append(bodies_.back());
    }
  }

  FixedKeys keys_;
  LogFileHeader header_;
  BlockLogBuilder log_{kFirstLsn, kFileBytes};
  std::vector<std::string> bodies_;
};

TEST_P(EncryptedBlockDecoderTest, ReadsWithTheKey) {
  auto decryptor = LogDecryptor::Create(header_, &keys_);
  ASSERT_THAT(decryptor, IsOk());
  BlockDecoder decoder(kFirstLsn, *decryptor);

  const Decoded decoded = DecodeAll(decoder, log_.file());

  EXPECT_EQ(decoded.bodies, bodies_);
  EXPECT_EQ(decoded.position, log_.end_lsn());
}

TEST_P(EncryptedBlockDecoderTest, AnotherKeyIsNoticed) {
  FixedKeys others(GetParam());
  others.Add(1, 3, std::string(16, '?'));
  auto decryptor = LogDecryptor::Create(header_, &others);
  ASSERT_THAT(decryptor, IsOk());
  BlockDecoder decoder(kFirstLsn, *decryptor);
  const std::string file = log_.file();

  MiniTransaction mtr;
  EXPECT_THAT(decoder.Next(AsBytes(file).subspan(kBlockLogHeadBytes), mtr),
              StatusIs(StatusCode::kMissingKey, HasSubstr("key 1 version 3 is not the one")));
}

INSTANTIATE_TEST_SUITE_P(Modes, EncryptedBlockDecoderTest,
                         ::testing::Values(crypto::CipherMode::kCbc, crypto::CipherMode::kCtr));

}  // namespace
}  // namespace hbk::redo
