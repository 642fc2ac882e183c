# LibTorch from the PyPI wheel, without Python. The wheel's own TorchConfig.cmake needs nvcc and
# CUDA even for the CPU, so the targets are made here.
#
#   DDL_LIBTORCH_DIR   folder that holds torch/ and nvidia/ (deploy/local/install.sh makes it)
#   LibTorch::CPU      libtorch_cpu and libc10
#   LibTorch::CUDA     with DDL_CUDA: those, libtorch_cuda, libc10_cuda and the headers of NCCL and cuDNN
#
# The wheel ships an old google/protobuf in its include folder: no target may link both this and
# ddl_proto into one translation unit.
set(_cache "$ENV{DDL_CACHE}")
if(NOT _cache)
  set(_cache "$ENV{HOME}/.cache/deltaworks")
endif()
if(DDL_CUDA)
  set(DDL_LIBTORCH_DIR "${_cache}/libtorch-2.11.0-cuda" CACHE PATH "Folder that holds torch/")
else()
  set(DDL_LIBTORCH_DIR "${_cache}/libtorch-2.11.0-cpu" CACHE PATH "Folder that holds torch/")
endif()

find_path(LibTorch_INCLUDE_DIR ATen/ATen.h PATHS ${DDL_LIBTORCH_DIR}/torch/include NO_DEFAULT_PATH)
find_library(LibTorch_CPU_LIBRARY torch_cpu PATHS ${DDL_LIBTORCH_DIR}/torch/lib NO_DEFAULT_PATH)
find_library(LibTorch_C10_LIBRARY c10 PATHS ${DDL_LIBTORCH_DIR}/torch/lib NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "no LibTorch in ${DDL_LIBTORCH_DIR}: run deploy/local/install.sh libtorch")

if(LibTorch_FOUND AND NOT TARGET LibTorch::CPU)
  add_library(LibTorch::CPU INTERFACE IMPORTED)
  target_include_directories(LibTorch::CPU SYSTEM INTERFACE
    ${LibTorch_INCLUDE_DIR} ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include)
  target_compile_definitions(LibTorch::CPU INTERFACE _GLIBCXX_USE_CXX11_ABI=1 USE_C10D_GLOO)
  target_link_libraries(LibTorch::CPU INTERFACE
    ${LibTorch_CPU_LIBRARY} ${LibTorch_C10_LIBRARY} Threads::Threads)
  target_link_options(LibTorch::CPU INTERFACE
    -Wl,-rpath-link,${DDL_LIBTORCH_DIR}/nvidia/cu13/lib
    -Wl,-rpath,${DDL_LIBTORCH_DIR}/torch/lib
    -Wl,-rpath,${DDL_LIBTORCH_DIR}/nvidia/cu13/lib
    -Wl,--allow-shlib-undefined)
  if(DDL_CUDA)
    add_library(LibTorch::CUDA INTERFACE IMPORTED)
    target_link_libraries(LibTorch::CUDA INTERFACE LibTorch::CPU
      -Wl,--no-as-needed
      ${DDL_LIBTORCH_DIR}/torch/lib/libtorch_cuda.so ${DDL_LIBTORCH_DIR}/torch/lib/libc10_cuda.so
      -Wl,--as-needed)
    # NCCL's, cuDNN's and cuBLAS's headers are those of the libraries that LibTorch loads.
    target_include_directories(LibTorch::CUDA SYSTEM INTERFACE
      ${DDL_LIBTORCH_DIR}/nvidia/nccl/include ${DDL_LIBTORCH_DIR}/nvidia/cudnn/include
      ${CUDAToolkit_INCLUDE_DIRS} ${DDL_LIBTORCH_DIR}/nvidia/cu13/include)
    target_compile_definitions(LibTorch::CUDA INTERFACE USE_C10D_NCCL)
  endif()
endif()
