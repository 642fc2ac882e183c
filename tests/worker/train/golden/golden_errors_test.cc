#include "worker/train/golden/golden_errors.h"

#include <cmath>
#include <limits>

#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

TEST_CASE("An error is the largest difference over its scale, and equal tensors have none") {
  const at::Tensor a = at::tensor({1.0, -4.5, 2.0}, at::kFloat);
  const at::Tensor b = at::tensor({1.0, -4.0, 1.75}, at::kFloat);
  CHECK(LargestOf(b) == 4.0);
  CHECK(LargestError(a, b, 4.0) == Approx(0.125));
  CHECK(LargestError(at::zeros({2}), at::zeros({2}), 0) == 0);
  CHECK(std::isinf(LargestError(at::ones({2}), at::zeros({2}), 0)));
  // |(0, -0.5, 0.25)| / |(1, -4, 1.75)|.
  CHECK(NormError(a, b) == Approx(std::sqrt(0.3125) / std::sqrt(1 + 16 + 1.75 * 1.75)));
  CHECK(NormError(at::zeros({2}), at::zeros({2})) == 0);
}

TEST_CASE("A group has its largest error and the tensor of it, no number is the largest of all") {
  GroupErrors errors;
  errors.Add("grad", 2e-5, "grad/a", 1e-6);
  errors.Add("loss", 5e-6, "loss", 5e-6);
  errors.Add("grad", 2e-5, "grad/b", 3e-5);
  errors.Add("grad", 2e-5, "grad/c", 2e-6);
  REQUIRE(errors.all().size() == 2);
  CHECK(errors.all()[0].group == "grad");
  CHECK(errors.all()[0].tensor == "grad/b");
  CHECK(errors.all()[0].error == 3e-5);
  CHECK_FALSE(errors.all()[0].Ok());
  CHECK(errors.all()[1].Ok());
  errors.Add("loss", 5e-6, "nan", std::numeric_limits<double>::quiet_NaN());
  CHECK(errors.all()[1].tensor == "nan");
  CHECK_FALSE(errors.all()[1].Ok());
}

}  // namespace
}  // namespace ddl
