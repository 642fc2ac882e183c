// What data-parallel ranks do together. A rank that trains alone takes the same path with a
// collective of one, so that there is one training loop.
//
// All ranks make the same calls in the same order; one thread of a rank calls.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ddl {

class Collective {
 public:
  virtual ~Collective() = default;
  Collective() = default;
  Collective(const Collective&) = delete;
  Collective& operator=(const Collective&) = delete;

  virtual int64_t rank() const = 0;
  virtual int64_t size() const = 0;

  // Adds `tensor` up over all ranks, in place; it is contiguous. kUnavailable when a peer is gone
  // or does not answer in time; nothing can be done together after that.
  virtual absl::Status Sum(at::Tensor& tensor) = 0;
};

struct Rendezvous {
  std::string host;  // Rank 0 listens here.
  uint16_t port = 0;
  std::string bind_address;  // Of the interface that peers reach this rank by.
  uint64_t epoch = 0;        // Ranks of different epochs never meet.
  int64_t rank = 0;
  int64_t size = 1;
  at::Device device = at::kCPU;
  absl::Duration join_timeout = absl::Seconds(60);
  absl::Duration step_timeout = absl::Minutes(10);
};

// Waits for all ranks: over Gloo on the CPU, over NCCL on a GPU. A size of 1 needs nobody.
// kUnavailable when the others do not come within join_timeout or the port is taken.
absl::StatusOr<std::unique_ptr<Collective>> Join(const Rendezvous& rendezvous);

}  // namespace ddl
