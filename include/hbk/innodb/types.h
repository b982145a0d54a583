// The names InnoDB gives to things: log positions, tablespaces, pages.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace hbk::innodb {

using Lsn = uint64_t;      // byte position in the redo log stream
using SpaceId = uint32_t;  // tablespace id; 0 is the system tablespace
using PageNo = uint32_t;   // page number within its tablespace

constexpr SpaceId kSystemSpaceId = 0;
constexpr SpaceId kTemporarySpaceId = 0xFFFFFFFE;
// Ids from here on are the server's own: no tablespace file has one.
constexpr SpaceId kSpaceIdEnd = 0xFFFFFFF0;

struct PageId {
  SpaceId space = 0;
  PageNo page = 0;
  auto operator<=>(const PageId&) const = default;
};

struct PageIdHash {
  size_t operator()(const PageId& id) const {
    return std::hash<uint64_t>()(uint64_t{id.space} << 32 | id.page);
  }
};

std::string ToString(PageId id);  // "space:page"

}  // namespace hbk::innodb
