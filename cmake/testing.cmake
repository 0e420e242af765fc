# cloister_test(name SOURCES… LINK… [LABELS…]): one GoogleTest program, each TEST a ctest entry; under a
# sanitizer the program is one.
include(GoogleTest)

# Two more of g++ 12's guesses about inlined library code, which GoogleTest's macros provoke.
add_library(cloister_test_options INTERFACE)
target_compile_options(cloister_test_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-free-nonheap-object
                       -Wno-format-truncation>)
# Most of a build is the tests, and most of a test is headers: tests themselves are not optimised
# (what they test is) and share one precompiled header. Its owner is a program as they are: with -fPIC
# in place of -fPIE the compiler would not take it.
target_compile_options(cloister_test_options INTERFACE -O0 "SHELL:-U _FORTIFY_SOURCE"
                       $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
add_executable(cloister_test_headers ${PROJECT_SOURCE_DIR}/cmake/empty.cc)
target_link_libraries(cloister_test_headers PRIVATE cloister_options cloister_warnings
                      cloister_test_options tl::expected GTest::gtest_main)
target_precompile_headers(cloister_test_headers PRIVATE ${PROJECT_SOURCE_DIR}/cmake/test_headers.h)

# What the sanitizer run builds: the tests of the libraries and the fuzz seeds, not the program, whose
# sources are the slowest of all to compile.
add_custom_target(cloister_unit)
# What the thread sanitizer's run builds: the tests labelled `threads`.
add_custom_target(cloister_threads)

function(cloister_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LABELS" ${ARGN})
  set(target ${name}_test)
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE cloister_options cloister_warnings
                        cloister_test_options ${ARG_LINK} cloister_source_dir GTest::gtest_main)
  target_precompile_headers(${target} REUSE_FROM cloister_test_headers)
  if(NOT "cloister::cmd" IN_LIST ARG_LINK)
    add_dependencies(cloister_unit ${target})
  endif()
  if("threads" IN_LIST ARG_LABELS)
    add_dependencies(cloister_threads ${target})
  endif()
  # One word: a list would fall apart on its way to ctest, whose -L is a regular expression anyway.
  list(JOIN ARG_LABELS "+" labels)
  if(CLOISTER_SANITIZE)
    # A program that is sanitized takes longer to start than most tests take: one start for all.
    # Those of the program are not among what cloister_unit builds.
    set(kind unit)
    if("cloister::cmd" IN_LIST ARG_LINK)
      set(kind program)
    endif()
    add_test(NAME ${name} COMMAND ${target} --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES LABELS "${kind}+${labels}" TIMEOUT 900)
  else()
    gtest_discover_tests(${target} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
                         PROPERTIES LABELS "unit+${labels}" TIMEOUT 120)
  endif()
endfunction()

# cloister_fuzz(name SOURCE LINK…): LLVMFuzzerTestOneInput of tests/fuzz/<name>_fuzz.cc. With
# libFuzzer it is a fuzzer; otherwise a program that replays testdata/fuzz/<name>/* once, as a test.
function(cloister_fuzz name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  set(target ${name}_fuzz)
  add_executable(${target} ${PROJECT_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cc)
  target_link_libraries(${target} PRIVATE cloister_options cloister_warnings
                        cloister_test_options ${ARG_LINK})
  if(CLOISTER_LIBFUZZER)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
  endif()
  add_dependencies(cloister_unit ${target})
  add_test(NAME fuzz-replay.${name} COMMAND ${target} ${PROJECT_SOURCE_DIR}/testdata/fuzz/${name})
  if(CLOISTER_LIBFUZZER)
    set_tests_properties(fuzz-replay.${name} PROPERTIES DISABLED ON)
  endif()
  set_tests_properties(fuzz-replay.${name} PROPERTIES LABELS "fuzz-replay" TIMEOUT 120)
endfunction()
