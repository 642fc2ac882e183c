#include <catch2/catch.hpp>
#include <functional>

#include "tests/kernels/boundary_cases.h"

namespace ddl::kernels {
namespace {

TEST_CASE("A boundary that does not fit the contract is refused by name and nothing is written") {
  std::mt19937 random(2);
  BoundaryTruth b;
  b.shape = {.tokens = 2, .d = 40, .n = 2, .update = Update::kDdl};
  FillInputs<float>(&b, &random);
  BoundaryRun<float, Cpu> run(b);
  const std::vector<unsigned char> before = run.c.Bits();
  const auto refused = [&](const std::function<void(BoundaryForward<float>*)>& change) {
    BoundaryForward<float> call = run.ForwardCall();
    change(&call);
    return Launch(call, Cpu{}).message();
  };
  CHECK(refused([](auto* c) { c->shape.d = 44; }) ==
        "boundary forward: d must be a multiple of 8, got 44");
  CHECK(refused([](auto* c) { c->shape.d = 4104; }) ==
        "boundary forward: d must be between 32 and 4096, got 4104");
  CHECK(refused([](auto* c) { c->shape.n = 3; }) == "boundary forward: n must be 1, 2, 4 or 8");
  CHECK(refused([](auto* c) { c->shape.tokens = 0; }) ==
        "boundary forward: tokens must be between 1 and 2147483647, got 0");
  CHECK(refused([](auto* c) { c->shape.update = Update::kAdditive; }) ==
        "boundary forward: an additive state has n = 1");
  CHECK(refused([](auto* c) { c->weights.compressor = nullptr; }) ==
        "boundary forward: n > 1 needs a compressor");
  CHECK(refused([](auto* c) { c->state = nullptr; }) == "boundary forward: state must be given");
  CHECK(refused([](auto* c) { ++c->h; }) == "boundary forward: h must be aligned to 16 bytes");
  BoundaryBackward<float> backward = run.BackwardCall();
  backward.d_value_logits = nullptr;
  CHECK(Launch(backward, Cpu{}).message() == "boundary backward: d_value_logits must be given");
  CHECK(run.c.Bits() == before);
}

}  // namespace
}  // namespace ddl::kernels
