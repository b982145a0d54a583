// The bytes of a page journal: what page_journal.cc writes and journal_replay.cc reads.
//
// Format   See page_journal.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hbk::prepare {

constexpr uint64_t kJournalMagic = 0x316C6E726A6B6268;  // "hbkjrnl1"
constexpr size_t kJournalBatchHeaderBytes = 8 + 8 + 4 + 4 + 4;
constexpr size_t kJournalBatchCrcOffset = 8 + 8 + 4 + 4;
constexpr size_t kJournalPageFixedBytes = 2 + 8 + 4 + 8 + 4 + 4;
constexpr size_t kJournalRangeBytes = 4 + 4;

}  // namespace hbk::prepare
