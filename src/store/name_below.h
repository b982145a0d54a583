// Which paths lead into a directory, by what they say: it need not be there yet.
//
// Threads  Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hbk::store {

std::string WithoutSlashBehind(std::string path);
// Of a path that begins with `directory` (which has no slash behind it): the name relative to it,
// empty for itself. Nothing: it leads elsewhere.
std::optional<std::string_view> NameBelow(std::string_view directory, std::string_view path);

}  // namespace hbk::store
