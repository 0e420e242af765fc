# What `cmake --install` and CPack's Debian package hold: the program, its documents, and what the
# build tree has in man/ and completions/. ./dev dist makes releases from it.
include(GNUInstallDirs)
install(TARGETS cloister)
install(FILES README.md CHANGELOG.md RELEASES.md SECURITY.md THREATS.md sign/keys.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${CMAKE_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
        OPTIONAL FILES_MATCHING PATTERN "*.1" PATTERN "*.1.gz")
install(DIRECTORY ${CMAKE_BINARY_DIR}/completions/ DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        OPTIONAL FILES_MATCHING PATTERN "cloister")
install(DIRECTORY ${CMAKE_BINARY_DIR}/completions/ DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
        OPTIONAL FILES_MATCHING PATTERN "_cloister")
install(DIRECTORY ${CMAKE_BINARY_DIR}/completions/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
        OPTIONAL FILES_MATCHING PATTERN "cloister.fish")

# Linking a library statically is passing it on: its licence goes along.
if(CLOISTER_STATIC)
  foreach(package IN ITEMS libarchive-dev libcbor-dev libcli11-dev libexpected-dev libisal-dev liblzma-dev
                           libsodium-dev libstdc++-12-dev libtomlplusplus-dev libzstd-dev nettle-dev nlohmann-json3-dev)
    install(FILES /usr/share/doc/${package}/copyright RENAME ${package}
            DESTINATION ${CMAKE_INSTALL_DOCDIR}/licences OPTIONAL)
  endforeach()
endif()

# Debian sorts 0.1.0~dev before 0.1.0, and takes no hyphen in a version of a native package.
execute_process(COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DGIVEN=${CLOISTER_VERSION}
                        -DPROJECT=${PROJECT_VERSION} -DPRINT=ON -P ${PROJECT_SOURCE_DIR}/cmake/version.cmake
                OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
string(REPLACE "-" "~" CPACK_DEBIAN_PACKAGE_VERSION "${version}")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VERSION "${version}")
set(CPACK_PACKAGE_NAME cloister)
set(CPACK_PACKAGE_VENDOR cloister)
# Who publishes a package puts their address here.
set(CPACK_PACKAGE_CONTACT "the cloister authors <cloister@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "turns container images into signed images for enclaves")
set(CPACK_PACKAGE_DESCRIPTION "cloister finds out what the program of an OCI image opens, writes a
least-privilege Gramine manifest with a reason for every line, measures and
signs it, and adds it to the image as one layer. Nothing of the image is
executed. It verifies such images, and the quotes of processors that run
them.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Roots of trust for registries; the programs that some commands start when they are there.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libengine-pkcs11-openssl")
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/package_tree.cmake)
include(CPack)
