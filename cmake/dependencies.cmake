# Every library is a shared one of Debian 12. Which module may use which: docs/architecture.md.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(ZLIB REQUIRED)
pkg_check_modules(MARIADB REQUIRED IMPORTED_TARGET libmariadb)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
if(HBK_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
