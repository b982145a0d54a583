# Where Debian expects things.
include(GNUInstallDirs)
install(TARGETS hbk RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
