# Flags of our own code, and of nothing we depend on.
add_library(ddl_flags INTERFACE)
target_include_directories(ddl_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(ddl_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wconversion -Wshadow -Wno-sign-conversion>
  $<$<COMPILE_LANGUAGE:CXX>:-Wno-missing-field-initializers>  # gcc 12 warns on {.name = x}.
  $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wthread-safety>)
target_link_options(ddl_flags INTERFACE -fuse-ld=mold)
target_link_libraries(ddl_flags INTERFACE Threads::Threads)

set(DDL_JOINED_SOURCES 8 CACHE STRING "Sources of one target compiled as one file; 1 joins none")

# ddl_joined(OUT TARGET SOURCE ...): sources that include the given ones in batches, which compiles in
# a third of the time. CMake's own unity sources name absolute paths, which ccache cannot share
# between checkouts.
function(ddl_joined out target)
  set(joined "")
  list(LENGTH ARGN left)
  foreach(source ${ARGN})
    cmake_path(ABSOLUTE_PATH source OUTPUT_VARIABLE path)
    cmake_path(RELATIVE_PATH path BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE include)
    list(APPEND paths ${path})
    string(APPEND text "#include \"${include}\"\n")
    math(EXPR left "${left} - 1")
    list(LENGTH paths count)
    if(count EQUAL DDL_JOINED_SOURCES OR left EQUAL 0)
      if(count EQUAL 1)
        list(APPEND joined ${paths})
      else()
        list(GET paths 0 first)
        cmake_path(GET first STEM stem)
        set(file ${CMAKE_CURRENT_BINARY_DIR}/joined/${target}.${stem}.cc)
        file(CONFIGURE OUTPUT ${file} CONTENT "${text}" @ONLY)
        list(APPEND joined ${file})
      endif()
      set(paths "")
      set(text "")
    endif()
  endforeach()
  set(${out} ${joined} PARENT_SCOPE)
endfunction()

# ddl_library(NAME SRCS a.cc ... [ALONE b.cc ...] DEPS target ...): one library for one directory.
# ALONE names sources that are not joined with others, as those with definitions of their own.
function(ddl_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SRCS;ALONE;DEPS")
  ddl_joined(sources ${name} ${arg_SRCS})
  add_library(${name} STATIC ${sources} ${arg_ALONE})
  target_link_libraries(${name} PUBLIC ddl_flags ${arg_DEPS})
endfunction()

# ddl_program(NAME SRCS main.cc DEPS target ...): one of the programs that users start.
function(ddl_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SRCS;DEPS")
  ddl_joined(sources ${name} ${arg_SRCS})
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ddl_flags ${arg_DEPS})
endfunction()

# Off where another preset runs the tests of what includes no LibTorch already: tests/run.sh runs
# them once, with sanitizers.
option(DDL_PLAIN_TESTS "Build the tests of what includes no LibTorch" ON)
set(ddl_torch_tests "/tests/worker/(model|optim|data|comm|train|engine)")

# ddl_test(NAME SRCS a_test.cc ... DEPS target ... [LABELS l ...]): every TEST_CASE becomes a CTest
# test. Label `full` keeps a suite out of a plain tests/run.sh.
function(ddl_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SRCS;DEPS;LABELS")
  set(left_out "")
  if(NOT DDL_PLAIN_TESTS AND NOT CMAKE_CURRENT_SOURCE_DIR MATCHES "${ddl_torch_tests}")
    set(left_out EXCLUDE_FROM_ALL)
  endif()
  ddl_joined(sources ${name} ${arg_SRCS})
  add_executable(${name} ${left_out} ${sources})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE ddl_flags ${arg_DEPS} Catch2::Catch2WithMain ddl_test_places)
  if(left_out)
    return()
  endif()
  # Catch2 2.13 has no SKIP(): a test case says this and returns. An empty value would be lost in the
  # list of properties, so that LABELS stands in it only when there are some.
  set(properties SKIP_REGULAR_EXPRESSION "ddl test skipped: "
    ENVIRONMENT "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0")
  if(arg_LABELS)
    list(APPEND properties LABELS ${arg_LABELS})
  endif()
  # CMake cuts blanks off the end of a -D value that is not in single quotes.
  # A name that selects nothing fails.
  catch_discover_tests(${name} TEST_PREFIX "'${name}: '" EXTRA_ARGS --warn NoTests
    PROPERTIES ${properties})
endfunction()

# As ddl_test, but one CTest test, skipped (not passed) on a machine without a GPU.
function(ddl_gpu_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SRCS;DEPS")
  add_executable(${name} ${arg_SRCS} ${PROJECT_SOURCE_DIR}/tests/gpu/main.cc)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE ddl_flags ${arg_DEPS} CUDA::cudart_static Catch2::Catch2)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 LABELS gpu)
endfunction()

# A test that is a script: it runs against the binaries of this build folder.
function(ddl_script_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "COMMAND;LABELS")
  add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "DDL_BINARY_DIR=${PROJECT_BINARY_DIR};DDL_SOURCE_DIR=${PROJECT_SOURCE_DIR}"
    SKIP_RETURN_CODE 77 LABELS "${arg_LABELS}")
  if(arg_TIMEOUT)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
  endif()
endfunction()
