// How long something took, from two times as they stand in a manifest or in mariadb-backup's files.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hbk::info {

// "2026-01-31T16:55:30Z" or "2026-01-31 16:55:30". Nothing if one of them is no such time, or the
// second one is the earlier one.
std::optional<uint64_t> SecondsBetween(std::string_view begin, std::string_view end);

}  // namespace hbk::info
