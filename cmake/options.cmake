# Language, warnings and sanitizers, the same for every target.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(HBK_BUILD_TESTS "Build the tests" ON)
option(HBK_BUILD_FUZZERS "Build the fuzz targets with libFuzzer (clang)" OFF)
set(HBK_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")
option(HBK_LTO "Link-time optimisation" OFF)

# Lines and functions, for stacks and profiles; local variables are for the dev preset. A quarter of
# the time to compile.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wcast-align
                    -Wnon-virtual-dtor -Woverloaded-virtual -Wundef -Wvla -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wthread-safety)
endif()
if(HBK_SANITIZE)
  add_compile_options(-fsanitize=${HBK_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HBK_SANITIZE})
endif()
if(HBK_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "HBK_BUILD_FUZZERS needs clang")
  endif()
  # Coverage for the fuzzers' guidance; harmless in every other program.
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(HBK_BUILD_FUZZERS AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # A fuzz engine sees only the code that is instrumented for it, so every module is.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(HBK_LTO)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

# The same compiler run twice on the same file is time lost.
find_program(HBK_CCACHE ccache)
if(HBK_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HBK_CCACHE})
endif()
