# Run by CPack over the tree that it is about to pack: what Debian's policy wants beside the program, and
# dates that are those of the release and not of this build.
set(share ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share)
file(COPY ${CMAKE_CURRENT_LIST_DIR}/copyright DESTINATION ${share}/doc/cloister)
file(MAKE_DIRECTORY ${share}/lintian/overrides)
file(COPY_FILE ${CMAKE_CURRENT_LIST_DIR}/lintian-overrides ${share}/lintian/overrides/cloister)
file(GLOB documents ${share}/man/man1/*.1)
set(date now)
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  set(date @$ENV{SOURCE_DATE_EPOCH})
endif()
execute_process(COMMAND date --utc --rfc-email --date=${date} OUTPUT_VARIABLE date
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
file(WRITE ${share}/doc/cloister/changelog "cloister (${CPACK_DEBIAN_PACKAGE_VERSION}) unstable; urgency=medium

  * What is new is in CHANGELOG.md.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
list(APPEND documents ${share}/doc/cloister/changelog)
foreach(document IN LISTS documents)
  execute_process(COMMAND gzip -9 -n -f ${document} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(COMMAND find ${CPACK_TEMPORARY_INSTALL_DIRECTORY} -exec
                          touch --no-dereference --date=@$ENV{SOURCE_DATE_EPOCH} {} +
                  COMMAND_ERROR_IS_FATAL ANY)
endif()
