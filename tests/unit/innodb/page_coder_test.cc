#include "hbk/innodb/page_coder.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"

#include "tests/support/fixed_keys.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::innodb::page_coder_test {
namespace {

using codec::Algorithm;
using crypto::CipherMode;
using testing::FixedKeys;
using testing::FromHex;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;
using testing::ToHex;

constexpr PageId kId = {13, 3};
constexpr Lsn kLsn = 2345678;
constexpr std::string_view kTestKey = "770a8a65da156d24ee2a093277530142";
constexpr std::string_view kTestIv = "46c30aafca6fa9967b69c3e996db0e5f";

TablespaceFlags Flags(uint32_t raw) {
  return TablespaceFlags::Decode(raw).value();
}

CryptData Crypt(uint8_t type = 1, uint32_t min_key_version = 1) {
  CryptData crypt;
  crypt.type = type;
  crypt.min_key_version = min_key_version;
  crypt.key_id = 1;
  const std::string iv = FromHex(kTestIv);
  std::copy(iv.begin(), iv.end(), crypt.iv.begin());
  return crypt;
}

// An index page half filled with text, its end random.
std::vector<uint8_t> MakeFrame(const TablespaceFlags& flags, bool is_compressible = true) {
  std::vector<uint8_t> frame(flags.physical_size());
  StoreBe32(frame, kFilPageNo, kId.page);
  StoreBe64(frame, kFilPrev, UINT64_MAX);
  StoreBe64(frame, kFilLsn, kLsn);
  StoreBe16(frame, kFilType, kPageIndex);
  StoreBe32(frame, kFilSpaceId, kId.space);
  std::minstd_rand random(7);
  const size_t begin = is_compressible ? frame.size() - frame.size() / 8 : kFilData;
  for (size_t i = kFilData; i < begin; ++i)
    frame[i] = static_cast<uint8_t>("a row of a table, "[i % 18]);
  for (size_t i = begin; i < frame.size() - kFilTrailer; ++i)
    frame[i] = static_cast<uint8_t>(random() >> 7);
  return frame;
}

// Frames without what only the image has: checksums and the tail LSN.
std::vector<uint8_t> Content(std::vector<uint8_t> frame, const TablespaceFlags& flags) {
  SealPage(frame, flags, kId);
  return frame;
}

struct Encoded {
  std::vector<uint8_t> image;
  size_t size = 0;
};

Encoded Encode(PageCoder& coder, std::vector<uint8_t> frame, const PageCoding& was = {},
               PageId id = kId) {
  Encoded encoded;
  encoded.image.assign(frame.size(), 0xCC);
  const auto size = coder.Encode(frame, id, was, encoded.image);
  EXPECT_THAT(size, IsOk());
  encoded.size = size.ok() ? *size : 0;
  return encoded;
}

// The page of zeros with a few fields that the known checksums are of.
std::vector<uint8_t> VectorFrame(const TablespaceFlags& flags) {
  std::vector<uint8_t> frame(flags.physical_size());
  StoreBe32(frame, kFilPageNo, 3);
  StoreBe64(frame, kFilPrev, UINT64_MAX);
  StoreBe64(frame, kFilLsn, kLsn);
  StoreBe16(frame, kFilType, kPageIndex);
  StoreBe32(frame, kFilSpaceId, 13);
  return frame;
}

TEST(PageCoderTest, KnownPageIsEncryptedAsKnown) {
  struct Case {
    CipherMode mode;
    uint32_t crc;
    std::string_view bytes;
  };
  for (const Case& known :
       {Case{CipherMode::kCbc, 0xe2c192ee, "5e7c2e6d6114f6b6876d024617cdd927"},
        Case{CipherMode::kCtr, 0xeaabd34b, "85d0449e5ffd443e42d10ea26aa694b3"}}) {
    FixedKeys keys(known.mode);
    keys.Add(1, 1, FromHex(kTestKey));
    PageCoder coder(13, Flags(0x15), Crypt(), &keys);

    const Encoded encoded = Encode(coder, VectorFrame(Flags(0x15)));

    EXPECT_EQ(LoadBe32(encoded.image, 16380), known.crc);
    EXPECT_EQ(ToHex(AsText(ByteView(encoded.image).subspan(26, 16))), known.bytes);
  }
}

TEST(PageCoderTest, KnownClearPagesHaveKnownChecksums) {
  PageCoder full(13, Flags(0x15), std::nullopt, nullptr);
  EXPECT_EQ(LoadBe32(Encode(full, VectorFrame(Flags(0x15))).image, 16380), 0xdc1846feU);
  PageCoder old(13, Flags(0x21), std::nullopt, nullptr);
  EXPECT_EQ(LoadBe32(Encode(old, VectorFrame(Flags(0x21))).image, 0), 0x663710c9U);
  PageCoder zip(13, Flags(0x27), std::nullopt, nullptr);
  EXPECT_EQ(LoadBe32(Encode(zip, VectorFrame(Flags(0x27))).image, 0), 0x6d9dbc18U);
}

// full_crc32, the algorithm in bits 5 to 7; old; old page_compressed; zip.
std::vector<uint32_t> AllFlags() {
  std::vector<uint32_t> all = {0x23, 0x25, 0x27, 0x29, 0x2b, 0x123, 0x125, 0xe3, 0xe5};
  for (const uint32_t code : {3U, 4U, 5U, 6U, 7U}) {
    for (uint32_t algorithm = 0; algorithm <= 6; ++algorithm)
      all.push_back(16 | code | algorithm << 5);
    const uint32_t old = 0x21 | (code == 5 ? 0 : code << 6);
    all.push_back(old);
    all.push_back(old | 1U << 16);
  }
  return all;
}

std::vector<Algorithm> AlgorithmsOf(const TablespaceFlags& flags) {
  if (!flags.is_page_compressed()) return {Algorithm::kNone};
  if (flags.is_full_crc32()) return {static_cast<Algorithm>(flags.compression_algorithm())};
  return {Algorithm::kZlib, Algorithm::kLz4,   Algorithm::kLzo,
          Algorithm::kLzma, Algorithm::kBzip2, Algorithm::kSnappy};
}

// Encodes and decodes one page, and looks at what is between.
void CheckRoundTrip(const TablespaceFlags& flags, Algorithm algorithm, FixedKeys* keys,
                    bool is_compressible) {
  SCOPED_TRACE(::testing::Message()
               << "flags " << std::hex << flags.raw() << std::dec << ", "
               << codec::AlgorithmName(algorithm) << (keys == nullptr ? ", clear" : ", encrypted")
               << (is_compressible ? "" : ", random"));
  const bool is_compressed =
      algorithm != Algorithm::kNone && is_compressible && codec::IsAvailable(algorithm);
  PageCoder coder(kId.space, flags, keys == nullptr ? std::nullopt : std::optional(Crypt()), keys);
  const std::vector<uint8_t> frame = MakeFrame(flags, is_compressible);

  const Encoded encoded = Encode(coder, frame, {.key_version = 0, .algorithm = algorithm});

  EXPECT_EQ(CheckPage(encoded.image, flags, kId), PageVerdict::kGood);
  EXPECT_EQ(encoded.size < frame.size(), is_compressed);
  EXPECT_TRUE(IsAllZero(ByteView(encoded.image).subspan(encoded.size)));
  EXPECT_EQ(PageLsn(encoded.image), kLsn);
  const PageCoding expected = {.key_version = keys == nullptr ? 0U : 2U,
                               .algorithm = is_compressed ? algorithm : Algorithm::kNone};
  EXPECT_EQ(CodingOf(encoded.image, flags, keys != nullptr, kId), expected);
  PageCoder decoder(kId.space, flags, coder.crypt(), keys);
  std::vector<uint8_t> decoded(frame.size(), 0xCC);
  EXPECT_THAT(decoder.Decode(encoded.image, kId, decoded), IsOkAndHolds(expected));
  EXPECT_EQ(Content(decoded, flags), Content(frame, flags));
}

TEST(PageCoderTest, EveryKindOfPageComesBack) {
  FixedKeys cbc(CipherMode::kCbc);
  cbc.Add(1, 1).Add(1, 2);
  FixedKeys ctr(CipherMode::kCtr);
  ctr.Add(1, 1).Add(1, 2);
  for (const uint32_t raw : AllFlags()) {
    for (const Algorithm algorithm : AlgorithmsOf(Flags(raw))) {
      for (FixedKeys* const keys : {static_cast<FixedKeys*>(nullptr), &cbc, &ctr}) {
        CheckRoundTrip(Flags(raw), algorithm, keys, true);
        CheckRoundTrip(Flags(raw), algorithm, keys, false);
      }
    }
  }
}

TEST(PageCoderTest, StreamsOfEveryLengthEndWhereTheImageSays) {
  const TablespaceFlags flags = Flags(16 | 3 | 2U << 5);  // 4 KiB, lz4
  PageCoder coder(kId.space, flags, std::nullopt, nullptr);
  std::minstd_rand random(5);
  for (size_t incompressible = 0; incompressible < 600; ++incompressible) {
    std::vector<uint8_t> frame = MakeFrame(flags);
    for (size_t i = 0; i < incompressible; ++i)
      frame[100 + i] = static_cast<uint8_t>(random() >> 7);

    const Encoded encoded = Encode(coder, frame);

    std::vector<uint8_t> decoded(frame.size());
    ASSERT_THAT(coder.Decode(encoded.image, kId, decoded), IsOk()) << incompressible;
    ASSERT_EQ(Content(decoded, flags), Content(frame, flags)) << incompressible;
  }
}

TEST(PageCoderTest, WhatIsBehindAShortImageDoesNotMatter) {
  FixedKeys keys;
  keys.Add(1, 1);
  for (const uint32_t raw : {0x35U, 0x55U, 0x10021U}) {
    PageCoder coder(kId.space, Flags(raw), Crypt(), &keys);
    const std::vector<uint8_t> frame = MakeFrame(Flags(raw));
    Encoded encoded = Encode(coder, frame);
    ASSERT_LT(encoded.size, 8192U);
    std::fill(encoded.image.begin() + 8192, encoded.image.end(), uint8_t{0xAB});

    std::vector<uint8_t> decoded(frame.size());
    EXPECT_THAT(coder.Decode(encoded.image, kId, decoded), IsOk()) << raw;
    EXPECT_EQ(Content(decoded, Flags(raw)), Content(frame, Flags(raw)));
  }
}

TEST(PageCoderTest, APageKeepsItsKeyVersionUnlessARotationIsOver) {
  FixedKeys keys;
  keys.Add(1, 1).Add(1, 2).Add(1, 3);
  PageCoder coder(kId.space, Flags(0x15), Crypt(1, 1), &keys);
  const std::vector<uint8_t> frame = MakeFrame(Flags(0x15));

  EXPECT_EQ(LoadBe32(Encode(coder, frame, {.key_version = 2}).image, 0), 2U);
  EXPECT_EQ(LoadBe32(Encode(coder, frame, {.key_version = 0}).image, 0), 3U);
  PageCoder rotated(kId.space, Flags(0x15), Crypt(1, 3), &keys);
  EXPECT_EQ(LoadBe32(Encode(rotated, frame, {.key_version = 2}).image, 0), 3U);
}

TEST(PageCoderTest, AFileThatTurnedPlainGetsPlainPagesAndStillHasOthers) {
  FixedKeys keys;
  keys.Add(1, 1);
  for (const uint32_t raw : {0x15U, 0x21U, 0x27U}) {
    PageCoder before(kId.space, Flags(raw), Crypt(1), &keys);
    PageCoder after(kId.space, Flags(raw), Crypt(0, 0), &keys);
    const std::vector<uint8_t> frame = MakeFrame(Flags(raw));
    const Encoded encoded = Encode(before, frame);

    std::vector<uint8_t> decoded(frame.size());
    const auto was = after.Decode(encoded.image, kId, decoded);

    ASSERT_THAT(was, IsOk());
    EXPECT_EQ(was->key_version, 1U);
    EXPECT_EQ(Encode(after, decoded, *was).image, Content(frame, Flags(raw)));
  }
}

TEST(PageCoderTest, SomePagesAreNeverEncryptedNorCompressed) {
  FixedKeys keys;
  keys.Add(1, 1);
  struct Case {
    uint32_t flags;
    PageId id;
    uint16_t type;
    bool is_encrypted;
  };
  for (const Case& given :
       {Case{0x35, {13, 0}, kPageFspHeader, false}, Case{0x35, {13, 3}, kPageXdes, false},
        Case{0x15, {0, 5}, kPageTrxSys, false}, Case{0x15, {13, 3}, kPageRtree, true},
        Case{0x21, {13, 3}, kPageRtree, false}, Case{0x35, {13, 3}, kPageAllocated, true}}) {
    PageCoder coder(given.id.space, Flags(given.flags), Crypt(), &keys);
    std::vector<uint8_t> frame = MakeFrame(Flags(given.flags));
    StoreBe32(frame, kFilPageNo, given.id.page);
    StoreBe32(frame, kFilSpaceId, given.id.space);
    StoreBe16(frame, kFilType, given.type);

    const Encoded encoded = Encode(coder, frame, {}, given.id);

    EXPECT_EQ(encoded.size, frame.size());
    const PageCoding coding = CodingOf(encoded.image, Flags(given.flags), true, given.id);
    EXPECT_EQ(coding.key_version != 0, given.is_encrypted) << given.type;
  }
}

TEST(PageCoderTest, AnotherKeyIsNamed) {
  FixedKeys right;
  right.Add(1, 1);
  FixedKeys wrong;
  wrong.Add(1, 1, "0123456789abcdef");
  FixedKeys wrong_mode(CipherMode::kCtr);
  wrong_mode.Add(1, 1);
  for (const uint32_t raw : {0x15U, 0x35U, 0x55U, 0x21U, 0x10021U, 0x27U}) {
    PageCoder coder(kId.space, Flags(raw), Crypt(), &right);
    const Encoded encoded = Encode(coder, MakeFrame(Flags(raw)));
    std::vector<uint8_t> frame(encoded.image.size());
    for (FixedKeys* const keys : {&wrong, &wrong_mode}) {
      PageCoder other(kId.space, Flags(raw), Crypt(), keys);
      EXPECT_THAT(other.Decode(encoded.image, kId, frame),
                  StatusIs(StatusCode::kMissingKey, HasSubstr("key 1 version 1 does not decrypt")))
          << raw;
      EXPECT_FALSE(other.IsProven(1));
    }
    EXPECT_THAT(coder.Decode(encoded.image, kId, frame), IsOk());
    EXPECT_TRUE(coder.IsProven(1));
  }
}

TEST(PageCoderTest, AMissingKeyIsNamed) {
  FixedKeys keys;
  keys.Add(1, 1);
  PageCoder coder(kId.space, Flags(0x15), Crypt(), &keys);
  const Encoded encoded = Encode(coder, MakeFrame(Flags(0x15)));
  std::vector<uint8_t> frame(encoded.image.size());

  PageCoder without(kId.space, Flags(0x15), Crypt(), nullptr);
  EXPECT_THAT(without.Decode(encoded.image, kId, frame),
              StatusIs(StatusCode::kMissingKey, HasSubstr("key 1 version 1")));
  FixedKeys empty;
  PageCoder with_none(kId.space, Flags(0x15), Crypt(1, 0), &empty);
  EXPECT_THAT(with_none.Decode(encoded.image, kId, frame),
              StatusIs(StatusCode::kMissingKey, HasSubstr("key 1 version 1")));
  EXPECT_THAT(with_none.NewPageVersion(), StatusIs(StatusCode::kMissingKey, HasSubstr("key 1")));
}

TEST(PageCoderTest, AFlippedBitInAnEncryptedPageIsCorruption) {
  FixedKeys keys;
  keys.Add(1, 1);
  for (const uint32_t raw : {0x15U, 0x35U, 0x21U, 0x27U}) {
    PageCoder coder(kId.space, Flags(raw), Crypt(), &keys);
    Encoded encoded = Encode(coder, MakeFrame(Flags(raw)));
    encoded.image[200] ^= 4;
    std::vector<uint8_t> frame(encoded.image.size());

    EXPECT_THAT(coder.Decode(encoded.image, kId, frame),
                StatusIs(StatusCode::kCorruption, HasSubstr("bad checksum of the encrypted page")))
        << raw;
  }
}

TEST(PageCoderTest, ADamagedImageWithoutChecksumIsCorruptionOnceItsKeyIsProven) {
  FixedKeys keys;
  keys.Add(1, 1);
  PageCoder coder(kId.space, Flags(0x10021), Crypt(), &keys);
  Encoded encoded = Encode(coder, MakeFrame(Flags(0x10021)));
  std::vector<uint8_t> frame(encoded.image.size());
  ASSERT_THAT(coder.Decode(encoded.image, kId, frame), IsOk());
  encoded.image[200] ^= 4;

  EXPECT_EQ(coder.Decode(encoded.image, kId, frame).status().code(), StatusCode::kCorruption);
}

TEST(PageCoderTest, AWholePageOfAnotherPlaceIsRefused) {
  FixedKeys keys;
  keys.Add(1, 1);
  PageCoder coder(kId.space, Flags(0x15), Crypt(), &keys);
  std::vector<uint8_t> frame = MakeFrame(Flags(0x15));
  const Encoded encoded = Encode(coder, frame);
  EXPECT_THAT(coder.Decode(encoded.image, {13, 4}, frame),
              StatusIs(StatusCode::kCorruption, HasSubstr("another page number")));

  StoreBe32(frame, kFilSpaceId, 14);
  StoreBe32(frame, kFilPageNo, kId.page);
  const Encoded foreign = Encode(coder, frame);
  EXPECT_THAT(coder.Decode(foreign.image, kId, frame),
              StatusIs(StatusCode::kCorruption, HasSubstr("another space id")));
}

TEST(PageCoderTest, ZerosStayZeros) {
  PageCoder coder(kId.space, Flags(0x35), Crypt(), nullptr);
  const std::vector<uint8_t> zeros(16384);
  std::vector<uint8_t> frame(16384, 1);

  EXPECT_THAT(coder.Decode(zeros, kId, frame), IsOkAndHolds(PageCoding{}));
  EXPECT_TRUE(IsAllZero(frame));
}

TEST(PageCoderTest, EachKeyIsAskedForOnce) {
  FixedKeys keys;
  keys.Add(1, 1);
  PageCoder coder(kId.space, Flags(0x15), Crypt(), &keys);
  std::vector<uint8_t> frame = MakeFrame(Flags(0x15));
  for (int i = 0; i < 3; ++i) {
    const Encoded encoded = Encode(coder, frame);
    ASSERT_THAT(coder.Decode(encoded.image, kId, frame), IsOk());
  }

  EXPECT_EQ(keys.asked().at({1, 1}), 1);
}

TEST(PageCoderTest, AnUnknownAlgorithmIsSaid) {
  PageCoder coder(kId.space, Flags(0x10021), std::nullopt, nullptr);
  Encoded encoded = Encode(coder, MakeFrame(Flags(0x10021)));
  StoreBe64(encoded.image, 26, 77);
  std::vector<uint8_t> frame(encoded.image.size());

  EXPECT_THAT(coder.Decode(encoded.image, kId, frame),
              StatusIs(StatusCode::kUnsupported, HasSubstr("unknown")));
}

TEST(PageCoderTest, OldFilesUseTheAlgorithmThatTheyAreSaidToHave) {
  PageCoder coder(kId.space, Flags(0x10021), std::nullopt, nullptr);
  const std::vector<uint8_t> frame = MakeFrame(Flags(0x10021));
  EXPECT_EQ(CodingOf(Encode(coder, frame).image, Flags(0x10021), false, kId).algorithm,
            Algorithm::kZlib);

  coder.SetAlgorithm(Algorithm::kBzip2);

  EXPECT_EQ(CodingOf(Encode(coder, frame).image, Flags(0x10021), false, kId).algorithm,
            codec::IsAvailable(Algorithm::kBzip2) ? Algorithm::kBzip2 : Algorithm::kNone);
}

TEST(PageCoderTest, ClearOldPagesMayHaveAnythingWhereTheKeyVersionIs) {
  FixedKeys keys;
  keys.Add(1, 1);
  PageCoder coder(kId.space, Flags(0x21), Crypt(), &keys);
  std::vector<uint8_t> page = Content(MakeFrame(Flags(0x21)), Flags(0x21));
  StoreBe64(page, kFilKeyVersion, 0x0000000700000009);
  std::vector<uint8_t> frame(page.size());

  EXPECT_THAT(coder.Decode(page, kId, frame), IsOkAndHolds(PageCoding{}));
}

}  // namespace
}  // namespace hbk::innodb::page_coder_test
