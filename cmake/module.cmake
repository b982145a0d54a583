# hbk_module(NAME LIBS ...): a static library hbk_NAME of all src/NAME/*.cc, main.cc apart.

# What nearly every file includes is parsed once, by the first module for all: a third of the time to
# compile a small one. Not elsewhere than with GCC, so that the other presets tell of a file that lacks
# an include.
set(HBK_COMMON_HEADERS <algorithm> <array> <atomic> <charconv> <chrono> <cstdint> <functional> <map>
    <memory> <optional> <set> <span> <stop_token> <string> <string_view> <thread> <utility> <vector>
    <fmt/format.h>)

function(hbk_module name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  if(NOT sources)
    return()
  endif()
  add_library(hbk_${name} STATIC ${sources})
  target_include_directories(hbk_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include
                             PRIVATE ${PROJECT_SOURCE_DIR}/src/${name})
  target_link_libraries(hbk_${name} PUBLIC fmt::fmt Threads::Threads ${ARG_LIBS})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    if(name STREQUAL "base")
      target_precompile_headers(hbk_base PRIVATE ${HBK_COMMON_HEADERS})
    else()
      target_precompile_headers(hbk_${name} REUSE_FROM hbk_base)
    endif()
  endif()
endfunction()
