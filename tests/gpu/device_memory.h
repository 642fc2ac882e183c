// Memory of the current GPU for tests/kernels/buffer.h, with plain allocations.
#pragma once

#include <cuda_runtime.h>

#include "tests/kernels/buffer.h"

namespace ddl::kernels {

template <>
struct Memory<Gpu> {
  static void* Allocate(size_t bytes) {
    void* memory = nullptr;
    REQUIRE(cudaMalloc(&memory, bytes) == cudaSuccess);
    return memory;
  }
  static void Free(void* memory) { cudaFree(memory); }
  static void CopyIn(void* to, const void* from, size_t bytes) {
    REQUIRE(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice) == cudaSuccess);
  }
  static void CopyOut(void* to, const void* from, size_t bytes) {
    REQUIRE(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost) == cudaSuccess);
  }
  static void Finish() {
    const cudaError_t error = cudaDeviceSynchronize();
    INFO(cudaGetErrorString(error));
    REQUIRE(error == cudaSuccess);
  }
};

}  // namespace ddl::kernels
