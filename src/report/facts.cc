#include "renderings.h"

namespace hbk::report {
namespace {

bool IsOrEndsIn(std::string_view name, std::string_view unit) {
  if (!name.ends_with(unit)) return false;
  return name.size() == unit.size() || name[name.size() - unit.size() - 1] == '_';
}

}  // namespace

FactUnit UnitOf(std::string_view name) {
  if (IsOrEndsIn(name, "bytes")) return FactUnit::kBytes;
  if (IsOrEndsIn(name, "s")) return FactUnit::kSeconds;
  if (IsOrEndsIn(name, "count") || IsOrEndsIn(name, "lsn")) return FactUnit::kNumber;
  return FactUnit::kNone;
}

}  // namespace hbk::report
