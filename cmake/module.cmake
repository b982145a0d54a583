# hbk_module(NAME LIBS ...): a static library hbk_NAME of all src/NAME/*.cc, main.cc apart.

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
endfunction()
