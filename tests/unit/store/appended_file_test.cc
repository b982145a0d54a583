#include "appended_file.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::store {
namespace {

using testing::FaultKind;
using testing::IsOk;
using testing::StatusIs;

constexpr size_t kMib = 1 << 20;

class AppendedFileTest : public ::testing::TestWithParam<bool> {
 protected:
  AppendedFileTest() { mem_.PutDirectory("/d"); }

  std::unique_ptr<AppendedFile> Create() {
    auto file = fs_.Open("/d/f", {.write = true, .create = true, .direct = GetParam()});
    HBK_CHECK(file.ok());
    return std::make_unique<AppendedFile>(std::move(file).value());
  }

  // In parts that have nothing to do with blocks.
  static Status AppendAll(AppendedFile& file, const std::string& bytes) {
    const size_t parts[] = {1, 700'001, 13, 4096, 1'500'000};
    size_t i = 0;
    for (size_t done = 0; done < bytes.size();) {
      const size_t part = std::min(parts[i++ % std::size(parts)], bytes.size() - done);
      HBK_RETURN_IF_ERROR(file.Append(AsBytes(bytes).subspan(done, part)));
      done += part;
    }
    return OkStatus();
  }

  static std::string Bytes(size_t size) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i)
      bytes[i] = static_cast<char>(i * 7 + i / 4093);
    return bytes;
  }

  testing::MemFileSystem mem_;
  testing::FaultyFileSystem fs_{mem_};
};

INSTANTIATE_TEST_SUITE_P(Direct, AppendedFileTest, ::testing::Bool());

TEST_P(AppendedFileTest, WhatIsAppendedIsTheFile) {
  for (const size_t size : {size_t{0}, size_t{5}, kMib - 1, kMib, kMib + 1, 3 * kMib, 9 * kMib + 5,
                            10 * kMib, 11 * kMib + 4096}) {
    const std::string bytes = Bytes(size);
    const auto file = Create();
    ASSERT_THAT(AppendAll(*file, bytes), IsOk());
    ASSERT_THAT(file->Finish(), IsOk());
    ASSERT_THAT(file->Close(), IsOk());
    EXPECT_TRUE(mem_.Contents("/d/f") == bytes) << size << " bytes";
    ASSERT_THAT(mem_.Remove("/d/f"), IsOk());
  }
  EXPECT_EQ(mem_.unaligned_direct_transfer_count(), 0U);
}

TEST_P(AppendedFileTest, AWriteThatFailsIsSaidAtTheLatestAtTheEnd) {
  const std::string bytes = Bytes(9 * kMib + 5);
  fs_.Arm(FaultKind::kNone, 0);
  {
    const auto file = Create();
    ASSERT_THAT(AppendAll(*file, bytes), IsOk());
    ASSERT_THAT(file->Finish(), IsOk());
    ASSERT_THAT(file->Close(), IsOk());
  }
  const uint64_t changes = fs_.change_count();
  ASSERT_GE(changes, 9U);
  for (uint64_t k = 2; k <= changes; ++k) {  // the first one opens
    ASSERT_THAT(mem_.Remove("/d/f"), IsOk());
    fs_.Arm(FaultKind::kNoSpace, k);
    const auto file = Create();
    Status status = AppendAll(*file, bytes);
    if (status.ok()) status = file->Finish();
    EXPECT_TRUE(fs_.has_fired()) << k;
    EXPECT_THAT(status, StatusIs(StatusCode::kNoSpace, ::testing::_)) << k;
    (void)file->Close();
  }
}

TEST_P(AppendedFileTest, WithoutFinishNothingIsPromised) {
  const auto closed = Create();
  ASSERT_THAT(AppendAll(*closed, Bytes(5 * kMib)), IsOk());
  EXPECT_THAT(closed->Close(), IsOk());
  ASSERT_THAT(mem_.Remove("/d/f"), IsOk());
  const auto destroyed = Create();
  EXPECT_THAT(AppendAll(*destroyed, Bytes(5 * kMib)), IsOk());
}

}  // namespace
}  // namespace hbk::store
