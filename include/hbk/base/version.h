// The version of hbk, as --version, the manifest and the info file say it.
//
// The same number as project(hbk VERSION ...) in CMakeLists.txt; a test compares the two.
#pragma once

#include <string_view>

namespace hbk {

constexpr std::string_view kVersion = "0.1.0";

}  // namespace hbk
