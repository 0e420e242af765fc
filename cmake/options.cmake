# What every target is compiled with, as two interface targets, and how a folder becomes a library.
add_library(cloister_options INTERFACE)
target_include_directories(cloister_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(cloister_options INTERFACE _FILE_OFFSET_BITS=64)
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_options(cloister_options INTERFACE -fstack-protector-strong
                         -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
  target_compile_definitions(cloister_options INTERFACE _GLIBCXX_ASSERTIONS)
  if(NOT CLOISTER_SANITIZE)
    target_compile_options(cloister_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
endif()
target_link_options(cloister_options INTERFACE -Wl,-z,relro,-z,now)
if(CLOISTER_STATIC)
  # Of libarchive's writers one pulls in all, and gc-sections takes the others out again.
  target_link_options(cloister_options INTERFACE -static-libstdc++ -static-libgcc -Wl,--gc-sections)
endif()
if(CLOISTER_SANITIZE)
  target_compile_options(cloister_options INTERFACE -fsanitize=${CLOISTER_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(cloister_options INTERFACE -fsanitize=${CLOISTER_SANITIZE})
endif()
if(CLOISTER_LIBFUZZER)
  target_compile_options(cloister_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

add_library(cloister_warnings INTERFACE)
target_compile_options(cloister_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion
                       -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
# g++ 12 reports these in its own inlined std::string and std::optional (GCC bugs 105329, 105562,
# 105651): noise that would hide the rest.
target_compile_options(cloister_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict
                       -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds -Wno-maybe-uninitialized>)

# cloister_library(name SOURCES… LINK…): the static library cloister_<name>, alias cloister::<name>.
function(cloister_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  string(REPLACE "-" "_" target cloister_${name})
  add_library(${target} STATIC ${PROJECT_SOURCE_DIR}/cmake/empty.cc ${ARG_SOURCES})
  add_library(cloister::${name} ALIAS ${target})
  target_link_libraries(${target} PUBLIC cloister_options ${ARG_LINK}
                        PRIVATE cloister_warnings ${ARG_PRIVATE_LINK})
endfunction()
