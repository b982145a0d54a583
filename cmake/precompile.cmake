# Headers of others that nearly every file reads, read once: a fifth of the time that a file takes.
#
# Only where nothing better is at hand: ccache would miss more than this saves, and other compilers
# are for analysis, which sees each file as it is.
#
# hbk_precompile(TARGET src|test)

if(HBK_CCACHE OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  function(hbk_precompile target kind)
  endfunction()
  return()
endif()

file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cc "")
function(hbk_precompile target kind)
  if(NOT TARGET hbk_precompiled_${kind})
    add_library(hbk_precompiled_${kind} OBJECT ${PROJECT_BINARY_DIR}/precompiled.cc)
    target_link_libraries(hbk_precompiled_${kind} PRIVATE fmt::fmt Threads::Threads)
    target_precompile_headers(hbk_precompiled_${kind} PRIVATE <algorithm> <chrono> <functional> <map>
                              <memory> <optional> <set> <string> <vector> <fmt/format.h>)
    if(kind STREQUAL "test")
      target_link_libraries(hbk_precompiled_${kind} PRIVATE GTest::gmock)
      target_precompile_headers(hbk_precompiled_${kind} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM hbk_precompiled_${kind})
endfunction()
