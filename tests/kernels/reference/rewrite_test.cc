// Facts of the delta update that hold for any numbers (ddl.md section 1).
#include "kernels/reference/rewrite.h"

#include <catch2/catch.hpp>
#include <random>

namespace ddl::kernels::reference {
namespace {

RewriteInput RandomInput(RewriteKind kind, int64_t n, std::mt19937* random) {
  std::normal_distribution<double> normal;
  RewriteInput in{
      .kind = kind, .n = n, .d = 7, .eps = 0, .state = Zeros(n * 7), .h = Zeros(7), .v = Zeros(n)};
  for (Vector* values : {&in.state, &in.h, &in.v}) {
    for (double& value : *values) value = normal(*random);
  }
  return in;
}

double Along(const RewriteInput& in, const Vector& state, int64_t j) {
  const double length = std::sqrt(Dot(in.h.data(), in.h.data(), in.d));
  return Dot(in.h.data(), &state[j * in.d], in.d) / length;
}

TEST_CASE("The distance to the value along the direction shrinks by 1 - beta in the reference") {
  std::mt19937 random(11);
  RewriteInput in = RandomInput(RewriteKind::kDdl, 3, &random);
  for (const double beta : {0.0, 0.3, 1.0, 1.9}) {
    in.beta = beta;
    const Vector next = Rewrite(in);
    for (int64_t j = 0; j < in.n; ++j) {
      const double before = Along(in, in.state, j) - in.v[j];
      CHECK(Along(in, next, j) - in.v[j] == Approx((1 - beta) * before).margin(1e-12));
    }
  }
}

TEST_CASE("Writing only moves the state by beta times the value, whatever the state holds") {
  std::mt19937 random(12);
  RewriteInput in = RandomInput(RewriteKind::kWriteOnly, 2, &random);
  in.beta = 1.3;
  const Vector next = Rewrite(in);
  for (int64_t j = 0; j < in.n; ++j) {
    CHECK(Along(in, next, j) - Along(in, in.state, j) == Approx(1.3 * in.v[j]).margin(1e-12));
  }
}

TEST_CASE("The seed's module multiplies where the paper adds") {
  RewriteInput in{.kind = RewriteKind::kSeedDeepDeltares,
                  .n = 1,
                  .d = 2,
                  .eps = 1e-6,
                  .state = {2.0, 4.0},
                  .h = {1.0, -3.0},
                  .v = {0.5},
                  .beta = 2.0};
  // k = (1/4, -3/4), k.x = -2.5, v - k.x = 3: x' = x * 6 k.
  CHECK(Rewrite(in) == Vector{3.0, -18.0});
  in.kind = RewriteKind::kDdl;
  CHECK(Rewrite(in) != Vector{3.0, -18.0});
}

}  // namespace
}  // namespace ddl::kernels::reference
