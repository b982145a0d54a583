#include "redo_sections.h"

#include <utility>

#include "parallel.h"

namespace hbk::prepare {

Result<RedoScan> ReadSections(const std::vector<RedoPlace>& begins, const RedoScan& empty,
                              PartitionStore& store, ScanWatch& watch, const ReadSection& read) {
  struct Section {
    RedoScan scan;
    Status status;
    RedoPlace end;
  };
  const auto count = static_cast<uint32_t>(begins.size());
  HBK_CHECK(count > 0 && count <= store.section_count());
  std::vector<Section> sections(count);
  const auto read_one = [&](uint32_t, size_t number) {
    const auto section_number = static_cast<uint32_t>(number);
    const bool is_last = section_number + 1 == count;
    // Counted in a place of its own: neighbours would slow one another down.
    RedoScan scan = empty;
    auto end = read(store.section(section_number), begins[number],
                    is_last ? std::nullopt : std::optional(begins[number + 1]), scan);
    Section& section = sections[number];
    section.scan = std::move(scan);
    section.status = end.status();
    if (end.ok()) section.end = *end;
    const bool is_joined = end.ok() && (is_last || *end == begins[number + 1]);
    if (!is_joined) watch.StopBehind(section_number);
    return OkStatus();
  };
  HBK_RETURN_IF_ERROR(RunParallel(count, count, read_one));

  RedoScan sum = std::move(sections.front().scan);
  for (uint32_t number = 0; number < count; ++number) {
    Section& section = sections[number];
    // The one before has shown that it begins where a mini-transaction does.
    HBK_RETURN_IF_ERROR(section.status);
    if (number > 0) sum.Append(std::move(section.scan));
    if (number + 1 == count || section.end == begins[number + 1]) continue;
    HBK_RETURN_IF_ERROR(store.DropFrom(number + 1));
    RedoScan rest = empty;
    HBK_RETURN_IF_ERROR(read(store.section(number), section.end, std::nullopt, rest).status());
    sum.Append(std::move(rest));
    break;
  }
  return sum;
}

}  // namespace hbk::prepare
