# Where Debian expects things. A file that is missing here fails the installation: a package without
# its man page is a defect, not a variant.
include(GNUInstallDirs)

install(TARGETS hbk RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES docs/man/hbk.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES completions/hbk.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME hbk)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
