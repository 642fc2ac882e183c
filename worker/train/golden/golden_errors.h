// How far a computation is from a reference file: the largest relative error of each group of
// tensors, and the tensor that has it. Tolerances and norms are those of ddl.md section 5.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

namespace ddl {

struct GroupError {
  std::string group;
  double error = 0;
  double tolerance = 0;
  std::string tensor;

  bool Ok() const { return error <= tolerance; }
};

// max|a - b| over `scale`; 0 for equal tensors whatever the scale.
double LargestError(const at::Tensor& got, const at::Tensor& want, double scale);
// |a - b| / |b| in the 2-norm over the tensor, where b is `want`; 0 for equal tensors.
double NormError(const at::Tensor& got, const at::Tensor& want);
double LargestOf(const at::Tensor& tensor);  // max|b|

// Keeps the largest error of each group, in the order in which groups are first named. An error
// that is no number counts as infinite.
class GroupErrors {
 public:
  void Add(const std::string& group, double tolerance, const std::string& tensor, double error);
  const std::vector<GroupError>& all() const { return all_; }

 private:
  std::vector<GroupError> all_;
};

}  // namespace ddl
