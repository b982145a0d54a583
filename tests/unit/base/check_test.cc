// HBK_CHECK.
#include "hbk/base/check.h"

#include <gtest/gtest.h>

namespace hbk {
namespace {

TEST(CheckDeathTest, AFalseConditionEndsTheProgramAndIsNamed) {
  HBK_CHECK(1 + 1 == 2);

  EXPECT_DEATH(HBK_CHECK(1 + 1 == 3), "internal error: .*check_test.cc:[0-9]+: .*1 \\+ 1 == 3");
}

}  // namespace
}  // namespace hbk
