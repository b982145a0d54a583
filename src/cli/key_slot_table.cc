#include "key_slot_table.h"

#include <string_view>

#include <fmt/format.h>

namespace hbk::cli {
namespace {

constexpr std::string_view kRow = "{:>4}  {:<10}  {:<20}  {}\n";

}  // namespace

std::string SlotTable(const std::vector<seal::KeySlot>& slots) {
  std::string table = fmt::format(kRow, "slot", "kind", "created", "label");
  for (const seal::KeySlot& slot : slots) {
    table +=
        fmt::format(kRow, slot.id, seal::SealingKeyKindName(slot.kind), slot.created, slot.label);
  }
  return table;
}

report::Facts SlotFacts(const seal::KeySlot& slot) {
  return {{"slot", std::to_string(slot.id)},
          {"kind", std::string(seal::SealingKeyKindName(slot.kind))},
          {"created", slot.created},
          {"label", slot.label}};
}

}  // namespace hbk::cli
