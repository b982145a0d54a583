#include "key_fetcher.h"

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::keys {
namespace {

using hbk::testing::IsOkAndHolds;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

// Counts how often it is asked. Key 1 has versions up to 5, key 2 fails, others are missing.
class CountingFetcher final : public KeyFetcher {
 public:
  explicit CountingFetcher(std::atomic<int>& count) : count_(count) {}

  Result<Secret> Fetch(uint32_t id, uint32_t version) override {
    ++count_;
    std::this_thread::yield();
    if (id == 2) return Status(StatusCode::kCannotConnect, "no answer");
    if (id != 1 || version > 5) return Status(StatusCode::kMissingKey, "not there");
    return Secret("key " + std::to_string(version));
  }

  Result<VersionedKey> FetchNewest(uint32_t id) override {
    HBK_ASSIGN_OR_RETURN(Secret key, Fetch(id, 5));
    return VersionedKey{5, std::move(key)};
  }

 private:
  std::atomic<int>& count_;
};

class KeyCacheTest : public ::testing::Test {
 protected:
  std::atomic<int> count_ = 0;
  std::unique_ptr<crypto::KeySource> source_ =
      CacheKeys(std::make_unique<CountingFetcher>(count_), crypto::CipherMode::kCtr);
};

TEST_F(KeyCacheTest, EachKeyIsFetchedOnce) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(source_->GetKey(1, 4).ok());
    ASSERT_TRUE(source_->GetKey(1, 3).ok());
  }

  EXPECT_EQ(count_, 2);
}

TEST_F(KeyCacheTest, TheNewestKeyIsKeptAsWell) {
  EXPECT_THAT(source_->NewestVersion(1), IsOkAndHolds(5U));
  const Result<Secret> key = source_->GetKey(1, 5);

  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->Reveal(), "key 5");
  EXPECT_EQ(count_, 1);
}

TEST_F(KeyCacheTest, AMissingKeyIsNamedAndStaysMissing) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(source_->GetKey(3, 9),
                StatusIs(StatusCode::kMissingKey, HasSubstr("encryption key 3 version 9: not")));
  }

  EXPECT_EQ(count_, 1);
}

TEST_F(KeyCacheTest, AFailureIsTriedAgain) {
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(source_->NewestVersion(2),
                StatusIs(StatusCode::kCannotConnect, HasSubstr("key 2, newest version")));

  EXPECT_EQ(count_, 2);
}

TEST_F(KeyCacheTest, ManyThreadsFetchAKeyOnce) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([this] { EXPECT_TRUE(source_->GetKey(1, 1).ok()); });
  threads.clear();

  EXPECT_EQ(count_, 1);
}

TEST_F(KeyCacheTest, TheModeIsAsGiven) {
  EXPECT_EQ(source_->mode(), crypto::CipherMode::kCtr);
}

}  // namespace
}  // namespace hbk::keys
