#include "tolerant_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::verify {
namespace {

using ::testing::_;
using testing::StatusIs;

class BrokenKeys final : public crypto::KeySource {
 public:
  explicit BrokenKeys(Status status) : status_(std::move(status)) {}
  Result<Secret> GetKey(uint32_t /*id*/, uint32_t /*version*/) override { return status_; }
  Result<uint32_t> NewestVersion(uint32_t /*id*/) override { return status_; }
  [[nodiscard]] crypto::CipherMode mode() const override { return crypto::CipherMode::kCbc; }

 private:
  const Status status_;
};

TEST(TolerantKeysTest, ASourceThatCannotBeAskedIsOneWithoutKeys) {
  TolerantKeys keys(
      std::make_unique<BrokenKeys>(Status(StatusCode::kCannotConnect, "no Vault here")));

  EXPECT_THAT(keys.GetKey(1, 1).status(), StatusIs(StatusCode::kMissingKey, "no Vault here"));
  EXPECT_THAT(keys.NewestVersion(1).status(), StatusIs(StatusCode::kMissingKey, _));
  EXPECT_EQ(keys.problem(), "no Vault here");
}

TEST(TolerantKeysTest, ARunThatIsToEndEnds) {
  TolerantKeys keys(std::make_unique<BrokenKeys>(InterruptedError()));

  EXPECT_THAT(keys.GetKey(1, 1).status(), StatusIs(StatusCode::kInterrupted, _));
  EXPECT_EQ(keys.problem(), "");
}

}  // namespace
}  // namespace hbk::verify
