# `ninja install`, and `cpack` for a Debian package. The manual page and the shell completions come from the command
# table: the program prints them at build time.
include(GNUInstallDirs)
set(INSPECT_CONTACT "The inspect authors <inspect@example.org>" CACHE STRING
  "Who maintains the Debian package; whoever gives it to others puts their own name here")

if(TARGET inspect)
  set(generated ${CMAKE_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${generated})
  foreach(kind bash zsh fish)
    add_custom_command(OUTPUT ${generated}/completion.${kind}
      COMMAND inspect --generate ${kind} > ${generated}/completion.${kind}
      DEPENDS inspect VERBATIM)
    list(APPEND generated_files ${generated}/completion.${kind})
  endforeach()
  # -n: without a time stamp, so that two builds of one source are equal
  add_custom_command(OUTPUT ${generated}/inspect.1.gz
    COMMAND inspect --generate man > ${generated}/inspect.1
    COMMAND gzip -9nf ${generated}/inspect.1
    DEPENDS inspect VERBATIM)
  configure_file(cmake/debian/changelog.in ${generated}/changelog @ONLY)
  add_custom_command(OUTPUT ${generated}/changelog.gz
    COMMAND gzip -9nkf ${generated}/changelog
    DEPENDS ${generated}/changelog VERBATIM)
  add_custom_target(generated_documents ALL
    DEPENDS ${generated_files} ${generated}/inspect.1.gz ${generated}/changelog.gz)

  install(TARGETS inspect DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES ${generated}/inspect.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${generated}/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    RENAME inspect)
  install(FILES ${generated}/completion.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
    RENAME _inspect)
  install(FILES ${generated}/completion.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
    RENAME inspect.fish)
  install(FILES README.md CHANGELOG.md SECURITY.md LICENSE ${generated}/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
  install(FILES cmake/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
  install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN add-* EXCLUDE)
endif()
if(TARGET inspect-dwarfindex)
  # dwarf/unit_index/unit_index.h: the program looks for its worker beside itself, then here.
  install(TARGETS inspect-dwarfindex DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/inspect)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME inspect)
set(CPACK_PACKAGE_CONTACT "${INSPECT_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "live process inspector for C, C++, Rust and Go programs")
set(CPACK_PACKAGE_DESCRIPTION
  "inspect shows what every thread and every goroutine of a running program is\ndoing, with functions, source lines, inlined calls and arguments, after a\npause too short to be noticed. Go programs may be stripped.\n.\nIt also tells where the memory of a process is (Go's and malloc's statistics,\nread from outside, the control group's limit, each mapping), explains Go\ncrash texts, and looks at variables in a session. The program needs no\npreparation and is left as it was.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
