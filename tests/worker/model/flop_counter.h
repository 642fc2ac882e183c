// An independent count of what a computation costs: a hook in LibTorch's dispatcher that sees every
// ATen operation with its tensors, in forward and backward passes.
//
// Products of matrices count two operations for each multiply-add, attention its causal half and
// twice that in its backward pass, other arithmetic one for each number, moves none.
#pragma once

#include <map>
#include <set>
#include <string>

namespace ddl {

struct CountedFlops {
  double total = 0;
  std::map<std::string, double> by_operation;
  std::set<std::string> unknown;  // Operations that the table does not know: the count lacks them.
};

// From its making to Stop(); one at a time.
class FlopCounter {
 public:
  FlopCounter();
  ~FlopCounter();
  FlopCounter(const FlopCounter&) = delete;
  FlopCounter& operator=(const FlopCounter&) = delete;
  CountedFlops Stop();

 private:
  uint64_t handle_ = 0;
};

}  // namespace ddl
