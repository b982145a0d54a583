// Which tables have their turn.
//
// Each table belongs to one of N parts, by its name, and each turn checks one part: N turns in a
// row check every table once, whatever tables come and go meanwhile.
//
// Threads  Pure functions.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <vector>

#include "hbk/manifest/drill_record.h"
#include "hbk/server/table_session.h"

namespace hbk::drill {

// `percent` is 1 to 100: 20 makes 5 parts, 30 makes 3 (so that it is never less than asked for).
uint64_t PartCount(uint32_t percent);
bool HasItsTurn(const server::ListedTable& table, uint64_t part_count, uint64_t turn);

// The turn after that of the last drill of this backup; of a backup that none was made of, the day:
// drills of each night's new backup take the parts one after another, too.
uint64_t NextTurn(const std::optional<manifest::DrilledRecord>& last, std::time_t now);

}  // namespace hbk::drill
