// Exit code 77 is "skipped" to CTest (SKIP_RETURN_CODE), so that a machine without a GPU never
// shows these tests as passed.
#define CATCH_CONFIG_RUNNER
#include <cuda_runtime.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
  int devices = 0;
  const cudaError_t found = cudaGetDeviceCount(&devices);
  const bool lists = argc > 1 && std::strncmp(argv[1], "--list", 6) == 0;
  if (!lists && (found != cudaSuccess || devices == 0)) {
    std::printf("ddl test skipped: no GPU: %s\n", cudaGetErrorString(found));
    return 77;
  }
  return Catch::Session().run(argc, argv);
}
