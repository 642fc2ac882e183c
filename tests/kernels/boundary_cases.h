// The boundary kernels of one place against the reference: shapes, types, poisoned outputs, equal
// bits of two runs, refusals.
#pragma once

#include <string>

#include "tests/kernels/boundary_reference.h"
#include "tests/kernels/buffer.h"

namespace ddl::kernels {

// Tensors of one case at a place, and the calls over them.
template <typename T, typename Place>
class BoundaryRun {
 public:
  using R = Real<T>;
  explicit BoundaryRun(const BoundaryTruth& b)
      : b_(b),
        state(b.state),
        h(b.h),
        d_next(b.d_next),
        d_c(b.d_c),
        v(b.v),
        beta(b.beta),
        compressor(b.compressor),
        gain(b.gain),
        value_weight(b.value_weight),
        value_bias(b.value_bias),
        gate_weight(b.gate_weight),
        gate_bias(b.gate_bias),
        d_value_logits(b.d_value_logits),
        d_gate_logit(b.d_gate_logit),
        next_state(rows() * width()),
        c(rows() * b.shape.d),
        d_state(rows() * width()),
        d_h(rows() * b.shape.d),
        inverse_rms(rows()),
        h_norm(rows()),
        row(rows() * b.shape.n),
        next_v(rows() * b.shape.n),
        next_beta(rows()),
        d_v_logits(rows() * b.shape.n),
        d_beta_logit(rows()),
        d_compressor(Ones(width())),
        d_gain(Ones(b.shape.d)),
        d_value_weight(Ones(width())),
        d_value_bias(Ones(b.shape.n)),
        d_gate_weight(Ones(b.shape.d)),
        d_gate_bias(Ones(1)),
        workspace(std::max<int64_t>(1, WorkspaceSize())) {}

  BoundaryForward<T> ForwardCall() {
    BoundaryForward<T> call;
    call.shape = b_.shape;
    call.k_eps = b_.k_eps;
    call.norm_eps = b_.norm_eps;
    call.state = state.data();
    call.h = h.data();
    call.v = v.data();
    call.beta = beta.data();
    call.weights = WeightsOf();
    call.next_state = next_state.data();
    call.c = c.data();
    call.inverse_rms = inverse_rms.data();
    call.h_norm = h_norm.data();
    call.row = row.data();
    call.next_v = next_v.data();
    call.next_beta = next_beta.data();
    return call;
  }
  BoundaryBackward<T> BackwardCall() {
    BoundaryBackward<T> call;
    call.shape = b_.shape;
    call.next_state = b_.shape.update == Update::kNone ? state.data() : next_state.data();
    call.d_next_state = b_.has_d_next ? d_next.data() : nullptr;
    call.d_c = d_c.data();
    call.h = h.data();
    call.v = v.data();
    call.beta = beta.data();
    call.inverse_rms = inverse_rms.data();
    call.h_norm = h_norm.data();
    call.row = row.data();
    call.weights = WeightsOf();
    call.d_value_logits = d_value_logits.data();
    call.d_gate_logit = d_gate_logit.data();
    call.d_state = d_state.data();
    call.d_h = d_h.data();
    call.d_v_logits = d_v_logits.data();
    call.d_beta_logit = d_beta_logit.data();
    call.d_compressor = d_compressor.data();
    call.d_gain = d_gain.data();
    call.d_value_weight = d_value_weight.data();
    call.d_value_bias = d_value_bias.data();
    call.d_gate_weight = d_gate_weight.data();
    call.d_gate_bias = d_gate_bias.data();
    call.workspace = workspace.data();
    call.workspace_size = WorkspaceSize();
    return call;
  }

 private:
  int64_t rows() const { return b_.shape.tokens; }
  int64_t width() const { return b_.shape.n * b_.shape.d; }
  int64_t WorkspaceSize() const {
    if constexpr (std::is_same_v<Place, Cpu>) return 0;
    return BoundaryWorkspace(b_.shape.d, b_.shape.n);
  }
  static std::vector<double> Ones(int64_t count) {
    return std::vector<double>(static_cast<size_t>(count), 1.0);
  }
  BoundaryWeights<R> WeightsOf() {
    BoundaryWeights<R> w;
    w.compressor = b_.compressor.empty() ? nullptr : compressor.data();
    w.gain = gain.data();
    w.value_weight = b_.has_heads ? value_weight.data() : nullptr;
    w.value_bias = value_bias.data();
    w.gate_weight = b_.has_heads ? gate_weight.data() : nullptr;
    w.gate_bias = gate_bias.data();
    w.value_reads_c = b_.value_reads_c;
    w.value_scale = static_cast<R>(b_.value_scale);
    return w;
  }

  const BoundaryTruth& b_;

 public:
  Buffer<T, Place> state, h, d_next, d_c;
  Buffer<R, Place> v, beta, compressor, gain, value_weight, value_bias, gate_weight, gate_bias,
      d_value_logits, d_gate_logit;
  Buffer<T, Place> next_state, c, d_state, d_h;
  Buffer<R, Place> inverse_rms, h_norm, row, next_v, next_beta, d_v_logits, d_beta_logit;
  Buffer<R, Place> d_compressor, d_gain, d_value_weight, d_value_bias, d_gate_weight, d_gate_bias;
  Buffer<R, Place> workspace;
};

// What was added to gradients that began at 1.
inline std::vector<double> Added(std::vector<double> values) {
  for (double& value : values) value -= 1.0;
  return values;
}

template <typename T, typename Place>
void CheckBoundaryCase(BoundaryTruth b, Place place, std::mt19937* random) {
  FillInputs<T>(&b, random);
  ComputeTruth(&b);
  BoundaryRun<T, Place> run(b);
  INFO("d " << b.shape.d << ", n " << b.shape.n << ", tokens " << b.shape.tokens << ", update "
            << static_cast<int>(b.shape.update) << ", heads " << b.has_heads << ", v of c "
            << b.value_reads_c << ", scale " << b.value_scale << ", k_eps " << b.k_eps
            << ", d_next " << b.has_d_next << ", element bytes " << sizeof(T));
  const double bound = Tolerance<T>();
  Outcome done = Launch(run.ForwardCall(), place);
  INFO(done.message());
  REQUIRE(done.ok());
  CHECK(RelativeError(run.c.Values(), b.c) < bound);
  if (b.shape.update != Update::kNone) {
    CHECK(RelativeError(run.next_state.Values(), b.next_state) < bound);
  }
  if (b.has_heads) {
    CHECK(RelativeError(run.next_v.Values(), b.next_v) < bound);
    CHECK(RelativeError(run.next_beta.Values(), b.next_beta) < bound);
  }
  done = Launch(run.BackwardCall(), place);
  INFO(done.message());
  REQUIRE(done.ok());
  CHECK(RelativeError(run.d_state.Values(), b.d_state) < bound);
  CHECK(RelativeError(Added(run.d_gain.Values()), b.d_gain) < bound);
  if (b.shape.n > 1) CHECK(RelativeError(Added(run.d_compressor.Values()), b.d_compressor) < bound);
  if (IsGated(b.shape)) {
    CHECK(RelativeError(run.d_h.Values(), b.d_h) < bound);
    CHECK(RelativeError(run.d_v_logits.Values(), b.d_v_logits) < bound);
    CHECK(RelativeError(run.d_beta_logit.Values(), b.d_beta_logit) < bound);
  }
  if (!b.has_heads) return;
  CHECK(RelativeError(Added(run.d_value_weight.Values()), b.d_value_weight) < bound);
  CHECK(RelativeError(Added(run.d_value_bias.Values()), b.d_value_bias) < bound);
  CHECK(RelativeError(Added(run.d_gate_weight.Values()), b.d_gate_weight) < bound);
  CHECK(RelativeError(Added(run.d_gate_bias.Values()), b.d_gate_bias) < bound);
}

template <typename Place>
void CheckBoundaryTypes(const BoundaryTruth& b, Place place, std::mt19937* random) {
  if constexpr (std::is_same_v<Place, Cpu>) CheckBoundaryCase<double>(b, place, random);
  CheckBoundaryCase<float>(b, place, random);
  CheckBoundaryCase<Bf16>(b, place, random);
}

// Every update with every n at random sizes; `rounds` of them.
template <typename Place>
void CheckRandomBoundaries(Place place, int rounds, int64_t widest, int64_t most_tokens) {
  const auto seed = std::random_device()();
  std::mt19937 random(seed);
  INFO("seed " << seed);
  const auto pick = [&](int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  };
  for (int round = 0; round < rounds; ++round) {
    for (const Update update :
         {Update::kNone, Update::kAdditive, Update::kWriteOnly, Update::kDdl}) {
      for (const int64_t n : {1, 2, 4, 8}) {
        if (update == Update::kAdditive && n > 1) continue;
        BoundaryTruth b;
        b.shape = {
            .tokens = pick(1, most_tokens), .d = 8 * pick(4, widest / 8), .n = n, .update = update};
        b.has_heads = pick(0, 3) > 0;
        b.value_reads_c = pick(0, 1) == 1;
        b.value_scale = pick(0, 1) == 1 ? 4 : 0;
        b.k_eps = pick(0, 2) == 0 ? 2.0 : 1e-5;
        b.has_d_next = pick(0, 3) > 0;
        CheckBoundaryTypes(b, place, &random);
      }
    }
  }
}

// Two runs, and one whose outputs lie over its inputs, give the same bits.
template <typename T, typename Place>
void CheckBoundaryBits(const BoundaryShape& shape, Place place) {
  std::mt19937 random(17);
  BoundaryTruth b;
  b.shape = shape;
  FillInputs<T>(&b, &random);
  BoundaryRun<T, Place> first(b);
  BoundaryRun<T, Place> second(b);
  for (BoundaryRun<T, Place>* run : {&first, &second}) {
    BoundaryForward<T> forward = run->ForwardCall();
    BoundaryBackward<T> backward = run->BackwardCall();
    if (run == &second) {
      forward.next_state = second.state.data();
      backward.next_state = second.state.data();
      backward.d_state = second.d_next.data();
    }
    REQUIRE(Launch(forward, place).ok());
    REQUIRE(Launch(backward, place).ok());
  }
  CHECK(first.next_state.Bits() == second.state.Bits());
  CHECK(first.d_state.Bits() == second.d_next.Bits());
  CHECK(first.d_h.Bits() == second.d_h.Bits());
  CHECK(first.d_compressor.Bits() == second.d_compressor.Bits());
  CHECK(first.d_gain.Bits() == second.d_gain.Bits());
  CHECK(first.d_value_weight.Bits() == second.d_value_weight.Bits());
  CHECK(first.d_gate_bias.Bits() == second.d_gate_bias.Bits());
}

}  // namespace ddl::kernels
