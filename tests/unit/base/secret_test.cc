// Secret: moves leave nothing behind.
#include "hbk/base/secret.h"

#include <string>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

namespace hbk {
namespace {

TEST(SecretTest, RevealGivesTheText) {
  const Secret secret("hunter2");

  EXPECT_EQ(secret.Reveal(), "hunter2");
  EXPECT_FALSE(secret.empty());
  EXPECT_TRUE(Secret().empty());
}

TEST(SecretTest, MovingEmptiesTheSource) {
  Secret first("hunter2");
  Secret second(std::move(first));
  Secret third("other");
  third = std::move(second);

  EXPECT_EQ(third.Reveal(), "hunter2");
  EXPECT_TRUE(first.empty());   // NOLINT(bugprone-use-after-move): that is the point
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(SecretTest, MovingOverwritesTheBytesOfTheSource) {
  Secret first("0123456789");  // short enough to live inside the object
  const char* const bytes = first.Reveal().data();

  const Secret second(std::move(first));

  for (size_t i = 0; i < 10; ++i)
    EXPECT_EQ(bytes[i], '\0') << i;
}

TEST(SecretTest, AssigningOverwritesTheOldBytes) {
  Secret secret("0123456789");
  const char* const bytes = secret.Reveal().data();

  const Secret other("ab");
  secret = other;

  EXPECT_EQ(secret.Reveal(), "ab");
  for (size_t i = 2; i < 10; ++i)
    EXPECT_EQ(bytes[i], '\0') << i;
}

TEST(SecretTest, CopiesAreIndependent) {
  const Secret first("hunter2");
  Secret copy = first;

  copy = Secret("other");

  EXPECT_EQ(first.Reveal(), "hunter2");
}

TEST(SecretTest, AssigningToItselfKeepsIt) {
  Secret secret("hunter2");
  Secret& alias = secret;

  secret = std::move(alias);
  EXPECT_EQ(secret.Reveal(), "hunter2");
  secret = alias;

  EXPECT_EQ(secret.Reveal(), "hunter2");
}

// Nothing turns a Secret into text by accident.
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<std::string, Secret>);

}  // namespace
}  // namespace hbk
