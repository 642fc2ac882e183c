#include "worker/model/parameters.h"

#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

TEST_CASE("Weights and gradients of a model are slices of one tensor each") {
  Parameters parameters(/*seed=*/3);
  const at::Tensor a = parameters.AddNormal("a", {2, 3}, 1.0);
  const at::Tensor b = parameters.AddConstant("b", {4}, 2.0);
  const at::Tensor before = a.detach().clone();
  parameters.Flatten(at::kCPU);
  CHECK(parameters.count() == 10);
  CHECK(at::equal(a, before));
  CHECK(at::equal(parameters.flat(), at::cat({a.reshape(-1), b}).detach()));

  (a.sum() * 3 + (b * b).sum()).backward();
  const at::Tensor want = at::cat({at::full({6}, 3.0), at::full({4}, 4.0)});
  CHECK(at::equal(parameters.flat_gradients(), want));
  a.sum().backward();
  CHECK(parameters.flat_gradients()[0].item<float>() == 4.0F);

  const at::NoGradGuard no_grad;
  at::Tensor(parameters.flat()).fill_(1.0);
  CHECK(at::equal(a, at::ones({2, 3})));
}

TEST_CASE("The digest of the weights depends on every bit, name and shape") {
  const auto digest = [](const char* name, at::IntArrayRef shape, double value) {
    Parameters parameters(1);
    parameters.AddConstant(name, shape, value);
    parameters.Flatten(at::kCPU);
    return parameters.Sha256();
  };
  const std::string base = digest("a", {2, 3}, 1.0);
  CHECK(base == digest("a", {2, 3}, 1.0));
  CHECK(base != digest("b", {2, 3}, 1.0));
  CHECK(base != digest("a", {3, 2}, 1.0));
  CHECK(base != digest("a", {2, 3}, 1.0 + 0x1p-23));
}

}  // namespace
}  // namespace ddl
