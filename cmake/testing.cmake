# cloister_test(name SOURCES… LINK… [LABELS…]): one GoogleTest program, each TEST a ctest entry.
include(GoogleTest)

# Two more of g++ 12's guesses about inlined library code, which GoogleTest's macros provoke.
add_library(cloister_test_options INTERFACE)
target_compile_options(cloister_test_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-free-nonheap-object
                       -Wno-format-truncation>)
function(cloister_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LABELS" ${ARGN})
  set(target ${name}_test)
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE cloister_options cloister_warnings
                        cloister_test_options ${ARG_LINK} GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE CLOISTER_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  gtest_discover_tests(${target} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
                       PROPERTIES LABELS "unit;${ARG_LABELS}" TIMEOUT 120)
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
  add_test(NAME fuzz-replay.${name} COMMAND ${target} ${PROJECT_SOURCE_DIR}/testdata/fuzz/${name})
  if(CLOISTER_LIBFUZZER)
    set_tests_properties(fuzz-replay.${name} PROPERTIES DISABLED ON)
  endif()
  set_tests_properties(fuzz-replay.${name} PROPERTIES LABELS "fuzz-replay" TIMEOUT 120)
endfunction()
