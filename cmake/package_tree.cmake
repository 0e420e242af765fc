# Run by CPack over the tree that it is about to pack: what Debian's policy wants of documents, and
# dates that are those of the release and not of this build.
file(GLOB manuals ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/man/man1/*.1)
set(changelog ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/doc/cloister/CHANGELOG.md)
if(EXISTS ${changelog})
  file(RENAME ${changelog} ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/doc/cloister/changelog)
  set(changelog ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/doc/cloister/changelog)
endif()
foreach(file IN LISTS manuals changelog)
  execute_process(COMMAND gzip -9 -n -f ${file} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(COMMAND find ${CPACK_TEMPORARY_INSTALL_DIRECTORY} -exec
                          touch --no-dereference --date=@$ENV{SOURCE_DATE_EPOCH} {} +
                  COMMAND_ERROR_IS_FATAL ANY)
endif()
