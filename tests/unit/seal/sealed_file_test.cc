#include "hbk/seal/sealed_file.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/crc32c.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::seal {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::IsOkAndHolds;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::_;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kTag = crypto::kAeadTagBytes;
constexpr size_t kSealedSegment = kSegmentBytes + kTag;

std::string Noise(size_t size) {
  std::mt19937_64 random(size + 7);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  std::string bytes(size, '\0');
  for (char& byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

FileId IdOf(uint8_t byte) {
  FileId id{};
  id.fill(byte);
  return id;
}

class SealedFileTest : public ::testing::Test {
 protected:
  static DataKey KeyOf(char byte) {
    return DataKey::FromBytes(Secret(std::string(DataKey::kBytes, byte))).value();
  }

  // What a writer makes of `plain`, given in parts of `step` bytes.
  std::string Seal(const std::string& plain, const FileId& id, size_t step = SIZE_MAX) {
    std::string stored;
    auto writer = SealedWriter::Create(key_, id, [&stored](ByteView bytes) {
      stored += AsText(bytes);
      return OkStatus();
    });
    EXPECT_THAT(writer, IsOk());
    for (size_t begin = 0; begin < plain.size(); begin += std::min(step, plain.size() - begin)) {
      const auto part = std::string_view(plain).substr(begin, step);
      EXPECT_THAT((*writer)->Append(AsBytes(part)), IsOk());
    }
    const auto size = (*writer)->Finish();
    EXPECT_THAT(size, IsOkAndHolds(stored.size()));
    return stored;
  }

  Result<std::unique_ptr<io::File>> Open(const std::string& stored,
                                         std::optional<FileId> id = std::nullopt) {
    fs_.PutFile("/f", stored);
    return OpenSealedFile(fs_.Open("/f", {}).value(), key_, id);
  }

  static Result<std::string> ReadAll(io::File& file) {
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file.Stat());
    std::vector<uint8_t> bytes(info.size);
    HBK_ASSIGN_OR_RETURN(const size_t got, file.ReadAt(0, bytes));
    return std::string(AsText(ByteView(bytes).first(got)));
  }

  // Opened and read to its end: what the reader of a backup does.
  Result<std::string> Read(const std::string& stored) {
    HBK_ASSIGN_OR_RETURN(const std::unique_ptr<io::File> file, Open(stored));
    return ReadAll(*file);
  }

  DataKey key_ = KeyOf('k');
  MemFileSystem fs_;
};

TEST_F(SealedFileTest, PlainBytesComeBack) {
  for (const size_t size :
       {size_t{0}, size_t{1}, kSegmentBytes - 1, kSegmentBytes, kSegmentBytes + 1,
        2 * kSegmentBytes, 20 * kSegmentBytes, 20 * kSegmentBytes + 5}) {
    const std::string plain = Noise(size);
    const std::string stored = Seal(plain, IdOf(1));
    EXPECT_EQ(stored.size(), SealedSize(size));
    EXPECT_TRUE(IsSealedFile(AsBytes(stored)));
    const auto read = Read(stored);
    ASSERT_THAT(read, IsOk()) << size;
    EXPECT_TRUE(*read == plain) << size;
  }
}

TEST_F(SealedFileTest, PartsMakeNoDifference) {
  const std::string plain = Noise(3 * kSegmentBytes + 100);
  const std::string stored = Seal(plain, IdOf(1));
  for (const size_t step : {size_t{999}, kSegmentBytes, kSegmentBytes + 1, 2 * kSegmentBytes})
    EXPECT_TRUE(Seal(plain, IdOf(1), step) == stored) << step;
}

TEST_F(SealedFileTest, FilesWithTheSameBytesLookDifferent) {
  std::string stored;
  const auto append = [&stored](ByteView bytes) {
    stored += AsText(bytes);
    return OkStatus();
  };
  const auto first = SealedWriter::Create(key_, append);
  ASSERT_THAT(first, IsOk());
  const auto second = SealedWriter::Create(key_, append);
  ASSERT_THAT(second, IsOk());
  EXPECT_NE((*first)->file_id(), (*second)->file_id());

  EXPECT_NE(Seal("abc", IdOf(1)).substr(kSealedHeaderBytes),
            Seal("abc", IdOf(2)).substr(kSealedHeaderBytes));
}

// Backups that exist must stay readable.
TEST_F(SealedFileTest, FormatStaysWhatItIs) {
  std::string hex;
  for (const char c : Seal("abc", IdOf(1)))
    hex += fmt::format("{:02x}", static_cast<uint8_t>(c));
  EXPECT_EQ(hex,
            "68626b7365616c0a"                  // magic
            "01000000"                          // version
            "01010101010101010101010101010101"  // file id
            "454e8927e43522927702c604f7a5be22"  // key check
            "795fa1fc"                          // CRC-32C
            "f4d815"                            // the one segment, and its tag
            "9db5adbda7a3d22ddf4aa9b1000618bc");
}

TEST_F(SealedFileTest, EveryFlippedBitIsNoticed) {
  const std::string stored = Seal(Noise(100), IdOf(1));
  for (size_t bit = 0; bit < stored.size() * 8; ++bit) {
    std::string flipped = stored;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    EXPECT_THAT(Open(flipped), StatusIs(StatusCode::kCorruption, HasSubstr("/f"))) << bit;
  }
}

TEST_F(SealedFileTest, FlippedBitsOfALongFileAreNoticedWhereTheyAre) {
  const std::string stored = Seal(Noise(3 * kSegmentBytes + 10), IdOf(1));
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  for (int i = 0; i < 300; ++i) {
    const size_t bit = random() % (stored.size() * 8);
    std::string flipped = stored;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    const size_t segment =
        (std::max(bit / 8, kSealedHeaderBytes) - kSealedHeaderBytes) / kSealedSegment;
    const size_t begin =
        bit / 8 < kSealedHeaderBytes ? 0 : kSealedHeaderBytes + segment * kSealedSegment;
    EXPECT_THAT(Read(flipped),
                StatusIs(StatusCode::kCorruption, HasSubstr("offset " + std::to_string(begin))));
  }
}

TEST_F(SealedFileTest, EveryTruncationIsNoticedAtOnce) {
  const std::string small = Seal(Noise(100), IdOf(1));
  for (size_t size = 0; size < small.size(); ++size) {
    EXPECT_THAT(Open(small.substr(0, size)), StatusIs(StatusCode::kCorruption, HasSubstr("/f")))
        << size;
  }
  const std::string stored = Seal(Noise(3 * kSegmentBytes + 10), IdOf(1));
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  for (int i = 0; i < 200; ++i) {
    EXPECT_THAT(Open(stored.substr(0, random() % stored.size())),
                StatusIs(StatusCode::kCorruption, HasSubstr("/f")));
  }
}

TEST_F(SealedFileTest, CutBehindAWholeSegmentIsSaidToBeOne) {
  for (const size_t size : {4 * kSegmentBytes, 3 * kSegmentBytes + 10}) {
    const std::string stored = Seal(Noise(size), IdOf(1));
    const size_t cut = kSealedHeaderBytes + 2 * kSealedSegment;
    EXPECT_THAT(Open(stored.substr(0, cut)),
                StatusIs(StatusCode::kCorruption,
                         HasSubstr("offset " + std::to_string(cut) + ": the file is cut off")));
  }
}

TEST_F(SealedFileTest, BytesBehindTheEndAreNoticed) {
  const std::string stored = Seal(Noise(kSegmentBytes + 10), IdOf(1));
  for (const size_t size : {size_t{1}, kTag, kTag + 1, kSealedSegment}) {
    EXPECT_THAT(Open(stored + std::string(size, '\0')),
                StatusIs(StatusCode::kCorruption, HasSubstr("/f")))
        << size;
  }
  // The whole last segment once more.
  EXPECT_THAT(Open(stored + stored.substr(kSealedHeaderBytes + kSealedSegment)),
              StatusIs(StatusCode::kCorruption, _));
}

TEST_F(SealedFileTest, SegmentsKeepTheirPlaces) {
  const std::string stored = Seal(Noise(4 * kSegmentBytes), IdOf(1));
  const std::string other = Seal(Noise(4 * kSegmentBytes), IdOf(2));
  const auto head = stored.substr(0, kSealedHeaderBytes);
  const auto segment = [](const std::string& of, size_t index) {
    return of.substr(kSealedHeaderBytes + index * kSealedSegment, kSealedSegment);
  };
  const std::string a = segment(stored, 0);
  const std::string b = segment(stored, 1);
  const std::string c = segment(stored, 2);
  const std::string last = segment(stored, 3);
  ASSERT_EQ(head + a + b + c + last, stored);
  const auto refused = StatusIs(StatusCode::kCorruption, HasSubstr("/f, offset "));

  EXPECT_THAT(Read(head + b + a + c + last), refused) << "swapped";
  EXPECT_THAT(Read(head + a + c + last), refused) << "dropped";
  EXPECT_THAT(Read(head + a + b + b + c + last), refused) << "repeated";
  EXPECT_THAT(Read(head + a + b + b + last), refused) << "replaced by another";
  EXPECT_THAT(Read(head + a + b + last + c), refused) << "last one inside";
  EXPECT_THAT(Read(head + last), refused) << "last one alone";
  EXPECT_THAT(Read(head + a + segment(other, 1) + c + last), refused) << "of another file";
  EXPECT_THAT(Read(head + a + b + c + segment(other, 3)), refused) << "end of another file";
  EXPECT_THAT(Read(other.substr(0, kSealedHeaderBytes) + a + b + c + last), refused)
      << "header of another file";
}

TEST_F(SealedFileTest, OtherDataKeyIsToldFromDamage) {
  const std::string stored = Seal(Noise(100), IdOf(1));
  key_ = KeyOf('l');

  EXPECT_THAT(Open(stored), StatusIs(StatusCode::kMissingKey,
                                     AllOf(HasSubstr("/f"), HasSubstr("another data key"))));
}

TEST_F(SealedFileTest, OtherFileOfTheBackupIsRefused) {
  const std::string stored = Seal(Noise(100), IdOf(1));

  EXPECT_THAT(Open(stored, IdOf(1)), IsOk());
  EXPECT_THAT(Open(stored, IdOf(2)), StatusIs(StatusCode::kCorruption,
                                              AllOf(HasSubstr("/f"), HasSubstr(FileIdText(IdOf(1))),
                                                    HasSubstr(FileIdText(IdOf(2))))));
}

TEST_F(SealedFileTest, LaterVersionIsNotDamage) {
  std::string stored = Seal("abc", IdOf(1));
  stored[8] = 2;
  std::vector<uint8_t> crc(4);
  StoreLe32(crc, 0, Crc32c(AsBytes(stored).first(kSealedHeaderBytes - 4)));
  stored.replace(kSealedHeaderBytes - 4, 4, AsText(crc));

  EXPECT_THAT(Open(stored), StatusIs(StatusCode::kUnsupported, HasSubstr("version 2")));
}

TEST_F(SealedFileTest, ReadsFromAnywhereInAnySize) {
  const std::string plain = Noise(20 * kSegmentBytes + 77);
  const auto file = Open(Seal(plain, IdOf(1)));
  ASSERT_THAT(file, IsOk());
  std::mt19937 random(3);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  for (int i = 0; i < 300; ++i) {
    const size_t offset = random() % (plain.size() + 10);
    const size_t size = random() % (i % 10 == 0 ? plain.size() : 3 * kSegmentBytes);
    std::vector<uint8_t> out(size);
    const auto got = (*file)->ReadAt(offset, out);
    ASSERT_THAT(got, IsOk());
    const std::string expected = offset > plain.size() ? "" : plain.substr(offset, size);
    ASSERT_EQ(*got, expected.size());
    ASSERT_TRUE(AsText(ByteView(out).first(*got)) == expected);
  }
}

TEST_F(SealedFileTest, SeveralThreadsReadAtOnce) {
  const std::string plain = Noise(9 * kSegmentBytes + 77);
  const auto file = Open(Seal(plain, IdOf(1)));
  ASSERT_THAT(file, IsOk());
  std::atomic<int> wrong_count = 0;
  const auto read_much = [&](uint32_t seed) {
    std::mt19937 random(seed);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
    std::vector<uint8_t> out(150000);
    for (int i = 0; i < 100; ++i) {
      const size_t offset = random() % plain.size();
      const MutableByteView part = MutableByteView(out).first(random() % out.size());
      const auto got = (*file)->ReadAt(offset, part);
      const bool fits = got.ok() && *got == std::min(part.size(), plain.size() - offset) &&
                        AsText(part.first(*got)) == std::string_view(plain).substr(offset, *got);
      if (!fits) ++wrong_count;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (uint32_t i = 0; i < 4; ++i)
      threads.emplace_back(read_much, i);
  }
  EXPECT_EQ(wrong_count, 0);
}

TEST_F(SealedFileTest, PlainFileCanOnlyBeRead) {
  const auto file = Open(Seal("abc", IdOf(1)));
  ASSERT_THAT(file, IsOk());

  EXPECT_EQ((*file)->Stat()->size, 3U);
  EXPECT_GE((*file)->Stat()->allocated_bytes, 3U);
  EXPECT_THAT((*file)->SeekData(1), IsOkAndHolds(1U));
  EXPECT_THAT((*file)->SeekData(9), IsOkAndHolds(3U));
  EXPECT_EQ((*file)->path(), "/f");
  EXPECT_FALSE((*file)->is_direct());
  EXPECT_THAT((*file)->WriteAt(0, AsBytes("x")), StatusIs(StatusCode::kFailed, _));
  EXPECT_THAT((*file)->Truncate(0), StatusIs(StatusCode::kFailed, _));
  EXPECT_THAT((*file)->Close(), IsOk());
}

TEST_F(SealedFileTest, FileThatShrinksMeanwhileIsDamaged) {
  const auto file = Open(Seal(Noise(3 * kSegmentBytes), IdOf(1)));
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT(fs_.Open("/f", {.write = true}).value()->Truncate(kSealedSegment + 100), IsOk());

  EXPECT_THAT(ReadAll(**file), StatusIs(StatusCode::kCorruption, HasSubstr("shorter")));
}

TEST_F(SealedFileTest, ErrorOfTheTargetIsPassedOn) {
  auto writer =
      SealedWriter::Create(key_, [](ByteView) { return Status(StatusCode::kNoSpace, "full"); });
  ASSERT_THAT(writer, IsOk());
  EXPECT_THAT((*writer)->Append(AsBytes(Noise(2 * kSegmentBytes))),
              StatusIs(StatusCode::kNoSpace, "full"));
}

}  // namespace
}  // namespace hbk::seal
