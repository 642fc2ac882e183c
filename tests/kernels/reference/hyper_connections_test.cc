#include "kernels/reference/hyper_connections.h"

#include <catch2/catch.hpp>

namespace ddl::kernels::reference {
namespace {

// The initial connection of sublayer `m`: A_m = e_(m mod n), A_r = I, B = 1, dynamic weights 0.
HyperConnection Initial(int64_t n, int64_t d, int64_t m) {
  HyperConnection c{.n = n,
                    .d = d,
                    .static_alpha = Zeros(n * (n + 1)),
                    .static_beta = Vector(n, 1.0),
                    .gain = Vector(d, 1.0),
                    .w_alpha = Zeros(d * (n + 1)),
                    .w_beta = Zeros(d)};
  for (int64_t s = 0; s < n; ++s) c.static_alpha[s * (n + 1) + 1 + s] = 1.0;
  c.static_alpha[m % n * (n + 1)] = 1.0;
  return c;
}

TEST_CASE("An initial connection reads one stream and adds the output to all of them") {
  const HyperConnection c = Initial(2, 2, 3);
  const Vector streams = {1.0, 2.0, 5.0, 7.0};
  CHECK(StreamInput(c, streams) == Vector{5.0, 7.0});
  CHECK(NextStreams(c, streams, {0.5, -1.0}) == Vector{1.5, 1.0, 5.5, 6.0});
}

TEST_CASE("A dynamic weight moves a coefficient by its scale times a tanh") {
  HyperConnection c = Initial(1, 1, 0);
  c.norm_eps = 0;
  c.w_beta = {0.5};  // norm(H) = 1.
  CHECK(NextStreams(c, {3.0}, {1.0})[0] == Approx(3.0 + 1.0 + 0.01 * std::tanh(0.5)));
}

}  // namespace
}  // namespace ddl::kernels::reference
