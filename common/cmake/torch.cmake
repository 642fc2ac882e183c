# Targets whose sources include LibTorch. They share one precompiled header, because ATen alone takes
# 7 s to read. None of them may see protobuf (FindLibTorch.cmake says why).
#
#   ddl_torch          flags and libraries of a torch target: the CPU's, and with DDL_CUDA the GPU's
#   ddl_torch_library  as ddl_library
#   ddl_torch_test     as ddl_test
add_library(ddl_torch INTERFACE)
if(DDL_CUDA)
  target_link_libraries(ddl_torch INTERFACE LibTorch::CUDA)
else()
  target_link_libraries(ddl_torch INTERFACE LibTorch::CPU)
endif()

file(WRITE ${PROJECT_BINARY_DIR}/torch_header.cc "")
add_library(ddl_torch_header STATIC ${PROJECT_BINARY_DIR}/torch_header.cc)
target_link_libraries(ddl_torch_header PUBLIC ddl_flags ddl_torch)
target_precompile_headers(ddl_torch_header PRIVATE <ATen/ATen.h> <ATen/core/grad_mode.h>)

function(ddl_torch_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SRCS;DEPS")
  ddl_library(${name} SRCS ${arg_SRCS} DEPS ddl_torch ${arg_DEPS})
  target_precompile_headers(${name} REUSE_FROM ddl_torch_header)
endfunction()

function(ddl_torch_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SRCS;DEPS;LABELS")
  ddl_test(${name} SRCS ${arg_SRCS} DEPS ddl_torch ${arg_DEPS} LABELS ${arg_LABELS})
  # A precompiled header serves -fPIC or -fPIE, not both, and libraries need the former.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  target_precompile_headers(${name} REUSE_FROM ddl_torch_header)
endfunction()
