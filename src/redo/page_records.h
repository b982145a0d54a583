// The EXTENDED records: changes of one page that are told in terms of its records, not of bytes.
//
// Format   docs/format/redo-log.md, "Index pages" and "Undo pages". `fields` is what follows the
//          subtype byte; RecordReader has checked that the integers in it are whole.
// Errors   kCorruption: page and record do not fit together.
#pragma once

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"

#include "index_page.h"

namespace hbk::redo {

// Where an inserted record goes: behind the last one of the heap, or where a deleted one was.
enum class InsertPlace : uint8_t { kHeapTop, kFreeList };

// kHeapTop: INSERT_HEAP, kFreeList: INSERT_REUSE.
Status InsertDynamic(MutableByteView frame, InsertPlace place, ByteView fields);
Status InsertRedundant(MutableByteView frame, InsertPlace place, ByteView fields);

Status DeleteDynamic(MutableByteView frame, ByteView fields);
Status DeleteRedundant(MutableByteView frame, ByteView fields);

void InitUndoPage(MutableByteView frame);
Status AppendUndo(MutableByteView frame, ByteView undo_record);

}  // namespace hbk::redo
