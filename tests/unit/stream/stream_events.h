// What a reader makes of a stream, as a list of short texts.
#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include "hbk/base/check.h"
#include "hbk/stream/stream_reader.h"

#include "tests/support/byte_buffers.h"

namespace hbk::stream {

struct ReadEvents {
  Status status;
  std::vector<std::string> events;
};

inline std::string TextOf(const StreamEvent& event) {
  using Kind = StreamEvent::Kind;
  switch (event.kind) {
    case Kind::kOpen:
      return fmt::format("open {} {}{}", event.file, event.path, event.replaces ? " again" : "");
    case Kind::kData:
      return fmt::format(
          "data {} {} {}", event.file, event.offset,
          event.data.size() < 30 ? AsText(event.data) : fmt::format("{} bytes", event.data.size()));
    case Kind::kClose:
      return event.size == StreamEvent::kUnknown
                 ? fmt::format("close {}", event.file)
                 : fmt::format("close {} {}", event.file, event.size);
    case Kind::kRename: return fmt::format("rename {} {}", event.path, event.to);
    case Kind::kRemove: return "remove " + event.path;
    case Kind::kMakeDirectory: return "mkdir " + event.path;
    case Kind::kRemoveDirectory: return "rmdir " + event.path;
    case Kind::kEnd: return "end";
  }
  return "";
}

inline ReadEvents ReadAllEvents(std::string stream) {
  ReadEvents read;
  auto reader = StreamReader::Open(hbk::testing::SourceOf(std::move(stream)));
  read.status = reader.status();
  if (!reader.ok()) return read;
  StreamEvent event;
  do {
    read.status = (*reader)->Next(event);
    if (!read.status.ok()) return read;
    read.events.push_back(TextOf(event));
  } while (event.kind != StreamEvent::Kind::kEnd);
  return read;
}

}  // namespace hbk::stream
