// Where a kernel runs and what its launcher answers. Each kernel is a struct that names its tensors
// (a header of its own, which is the contract) and a Launch() for each place:
//
//   Outcome done = Launch(BoundaryForward<Bf16>{...}, Gpu{stream});
//   Outcome done = Launch(BoundaryForward<double>{...}, Cpu{});
//
// On Cpu all pointers are host memory and the call returns when the work is done; T is float,
// double or Bf16. On Gpu they are device memory, the work is queued on the stream, and T is float
// or Bf16. A call that does not fit the contract is refused before anything is written. No launcher
// allocates, copies between host and device, or waits. Results do not depend on timing: the same
// call gives the same bits on the same kind of GPU.
//
// kernels/ knows the CUDA runtime and nothing else: no LibTorch, no abseil, no logging.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

struct CUstream_st;  // cudaStream_t is a pointer to it; CPU builds have no CUDA header.

namespace ddl::kernels {

struct Cpu {};
struct Gpu {
  CUstream_st* stream = nullptr;
};

// Empty when all is well, or the reason: the value, the rule and the kernel.
class [[nodiscard]] Outcome {
 public:
  Outcome() = default;
  explicit Outcome(std::string refusal) : message_(std::move(refusal)) {}
  bool ok() const { return message_.empty(); }
  const std::string& message() const { return message_; }

 private:
  std::string message_;
};

// Collects the first broken rule of a call, so that contracts read as lists.
class Contract {
 public:
  explicit Contract(const char* kernel) : kernel_(kernel) {}

  Contract& Require(bool holds, const char* rule);
  // `value` must be in [least, most].
  Contract& Between(const char* name, int64_t value, int64_t least, int64_t most);
  Contract& MultipleOf(const char* name, int64_t value, int64_t step);
  // Not null, and on an address that is a multiple of `bytes`.
  Contract& Aligned(const char* name, const void* pointer, int64_t bytes);
  // As Aligned, but null is well too.
  Contract& AlignedIfGiven(const char* name, const void* pointer, int64_t bytes);
  Outcome outcome() const { return message_.empty() ? Outcome() : Outcome(message_); }

 private:
  Contract& Refuse(const std::string& rule);

  const char* kernel_;
  std::string message_;
};

// Vector accesses of the GPU kernels take this many bytes.
inline constexpr int64_t kVectorBytes = 16;

}  // namespace ddl::kernels
