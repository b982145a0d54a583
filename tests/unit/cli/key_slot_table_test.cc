#include "key_slot_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::cli {
namespace {

seal::KeySlot Slot(uint32_t id, seal::SealingKeyKind kind, std::string label) {
  seal::KeySlot slot;
  slot.id = id;
  slot.kind = kind;
  slot.label = std::move(label);
  slot.created = "2026-01-31T20:03:11Z";
  return slot;
}

TEST(KeySlotTableTest, TableHasALineForEachSlot) {
  EXPECT_EQ(SlotTable({Slot(1, seal::SealingKeyKind::kKey, "key file backup.key"),
                       Slot(12, seal::SealingKeyKind::kPassphrase, "escrow")}),
            "slot  kind        created               label\n"
            "   1  key         2026-01-31T20:03:11Z  key file backup.key\n"
            "  12  passphrase  2026-01-31T20:03:11Z  escrow\n");
}

TEST(KeySlotTableTest, FactsAreThoseOfTheTable) {
  const report::Facts facts = SlotFacts(Slot(12, seal::SealingKeyKind::kPassphrase, "escrow"));
  ASSERT_EQ(facts.size(), 4U);
  EXPECT_EQ(facts[0].name, "slot");
  EXPECT_EQ(facts[0].value, "12");
  EXPECT_EQ(facts[1].value, "passphrase");
  EXPECT_EQ(facts[2].value, "2026-01-31T20:03:11Z");
  EXPECT_EQ(facts[3].value, "escrow");
}

}  // namespace
}  // namespace hbk::cli
