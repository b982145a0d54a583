#include "hbk/filter/compressed_file.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::filter {
namespace {

using codec::FrameChoice;
using codec::FrameMethod;
using ::hbk::testing::IsOk;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr FrameChoice kZstd{FrameMethod::kZstd, 3};

std::string Rows(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>(i % 97 < 60 ? 'a' : i / 97);
  return bytes;
}

std::string Noise(size_t size) {
  std::mt19937_64 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  std::string bytes(size, '\0');
  for (char& byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

class CompressedFileTest : public ::testing::Test {
 protected:
  CompressedFileWriter::Append ToStored() {
    return [this](ByteView bytes) {
      stored_ += AsText(bytes);
      return OkStatus();
    };
  }

  static uint64_t ChunkCount(const std::string& plain) {
    return (plain.size() + kFileChunkBytes - 1) / kFileChunkBytes;
  }
  static ByteView Chunk(const std::string& plain, uint64_t index) {
    const size_t begin = index * kFileChunkBytes;
    return AsBytes(plain).subspan(begin, std::min<size_t>(kFileChunkBytes, plain.size() - begin));
  }

  void Write(const std::string& plain, const FrameChoice& choice = kZstd) {
    std::vector<uint64_t> order(ChunkCount(plain));
    std::iota(order.begin(), order.end(), 0);
    Write(plain, order, choice);
  }
  void Write(const std::string& plain, const std::vector<uint64_t>& order,
             const FrameChoice& choice = kZstd) {
    stored_.clear();
    FrameEncoderPool pool(choice);
    CompressedFileWriter writer(pool, ToStored());
    for (const uint64_t index : order)
      ASSERT_THAT(writer.Write(index, Chunk(plain, index)), IsOk());
    const auto size = writer.Finish(plain.size());
    ASSERT_THAT(size, IsOk());
    EXPECT_EQ(*size, stored_.size());
  }

  Result<std::unique_ptr<CompressedFileReader>> Open(FrameMethod method = FrameMethod::kZstd) {
    fs_.PutFile("/b/f", stored_);
    return CompressedFileReader::Open(fs_.Open("/b/f", {}).value(), method);
  }
  static Result<std::string> Read(CompressedFileReader& reader, uint64_t offset, size_t size) {
    std::vector<uint8_t> out(size);
    HBK_ASSIGN_OR_RETURN(const size_t got, reader.Read(offset, out));
    return std::string(AsText(ByteView(out).first(got)));
  }
  Status ReadAll(FrameMethod method = FrameMethod::kZstd) {
    HBK_ASSIGN_OR_RETURN(const auto reader, Open(method));
    return Read(*reader, 0, reader->size()).status();
  }

  MemFileSystem fs_;
  std::string stored_;
};

TEST_F(CompressedFileTest, FilesOfEverySizeComeBack) {
  for (const FrameChoice& choice : {kZstd, FrameChoice{FrameMethod::kLz4, 1}}) {
    for (const size_t size :
         {0U, 1U, kFileChunkBytes - 1, kFileChunkBytes, kFileChunkBytes + 1, 3 * kFileChunkBytes}) {
      const std::string plain = Rows(size);
      Write(plain, choice);
      const auto reader = Open(choice.method);
      ASSERT_THAT(reader, IsOk());
      EXPECT_EQ((*reader)->size(), size);
      EXPECT_TRUE(Read(**reader, 0, size + 10).value() == plain) << size;
    }
  }
}

TEST_F(CompressedFileTest, AnyPartCanBeRead) {
  const std::string plain = Rows(3 * kFileChunkBytes + 1000);
  Write(plain);
  const auto reader = Open();
  ASSERT_THAT(reader, IsOk());
  std::mt19937 random(3);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  for (int i = 0; i < 100; ++i) {
    const size_t offset = random() % (plain.size() + 100);
    const size_t size = random() % (kFileChunkBytes / 2);
    const std::string expected = offset < plain.size() ? plain.substr(offset, size) : "";
    EXPECT_TRUE(Read(**reader, offset, size).value() == expected) << offset << " " << size;
  }
}

TEST_F(CompressedFileTest, ChunksMayComeInAnyOrder) {
  const std::string plain = Rows(4 * kFileChunkBytes + 7);
  Write(plain);
  const std::string in_order = stored_;
  Write(plain, {4, 2, 0, 3, 1});
  EXPECT_TRUE(stored_ == in_order);
}

TEST_F(CompressedFileTest, SeveralThreadsWriteAndRead) {
  const std::string plain = Rows(12 * kFileChunkBytes + 7);
  stored_.clear();
  FrameEncoderPool pool(kZstd);
  CompressedFileWriter writer(pool, ToStored());
  std::atomic<uint64_t> next = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (uint64_t index = next++; index < ChunkCount(plain); index = next++)
          EXPECT_THAT(writer.Write(index, Chunk(plain, index)), IsOk());
      });
    }
  }
  ASSERT_THAT(writer.Finish(plain.size()), IsOk());
  const auto reader = Open();
  ASSERT_THAT(reader, IsOk());
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (size_t offset = i * 100'000; offset < plain.size(); offset += 700'000)
        EXPECT_TRUE(Read(**reader, offset, 300'000).value() == plain.substr(offset, 300'000));
    });
  }
}

TEST_F(CompressedFileTest, WhatDoesNotShrinkIsHardlyLarger) {
  const std::string plain = Noise(40 * kFileChunkBytes);
  Write(plain);
  EXPECT_LT(stored_.size(), plain.size() + plain.size() / 500);
  ASSERT_THAT(ReadAll(), IsOk());
}

TEST_F(CompressedFileTest, AfterStubbornChunksOthersShrinkStill) {
  const std::string rows = Rows(20 * kFileChunkBytes);
  Write(rows);
  const size_t alone = stored_.size();
  const std::string noise = Noise(10 * kFileChunkBytes);
  Write(noise + rows);
  EXPECT_LT(stored_.size(), noise.size() + 2 * alone + 10'000);
}

TEST_F(CompressedFileTest, AnAppendThatFailsIsTheLast) {
  int calls = 0;
  FrameEncoderPool pool(kZstd);
  CompressedFileWriter writer(pool, [&calls](ByteView) -> Status {
    return ++calls == 2 ? FailedError("no space") : OkStatus();
  });
  const std::string chunk = Rows(kFileChunkBytes);
  EXPECT_THAT(writer.Write(0, AsBytes(chunk)), IsOk());
  EXPECT_THAT(writer.Write(1, AsBytes(chunk)), StatusIs(StatusCode::kFailed, HasSubstr("space")));
  EXPECT_THAT(writer.Write(2, AsBytes(chunk)), StatusIs(StatusCode::kFailed, HasSubstr("space")));
  EXPECT_THAT(writer.Finish(3 * kFileChunkBytes),
              StatusIs(StatusCode::kFailed, HasSubstr("space")));
  EXPECT_EQ(calls, 2);
}

TEST_F(CompressedFileTest, ADamagedFrameIsNamedByFileAndOffset) {
  Write(Rows(2 * kFileChunkBytes));
  stored_[stored_.size() / 2 + 50] ^= 1;
  EXPECT_THAT(ReadAll(),
              StatusIs(StatusCode::kCorruption, AllOf(HasSubstr("/b/f"), HasSubstr("offset"))));
}

TEST_F(CompressedFileTest, EveryCutIsSeen) {
  Write(Rows(5000));
  const std::string whole = stored_;
  for (size_t size = 0; size < whole.size(); ++size) {
    stored_ = whole.substr(0, size);
    EXPECT_THAT(ReadAll(), StatusIs(StatusCode::kCorruption, HasSubstr("/b/f"))) << size;
  }
}

TEST_F(CompressedFileTest, FramesOfAnotherMethodAreRefused) {
  Write(Rows(5000));
  EXPECT_THAT(ReadAll(FrameMethod::kLz4), StatusIs(StatusCode::kCorruption, HasSubstr("/b/f")));
}

}  // namespace
}  // namespace hbk::filter
