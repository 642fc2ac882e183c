#include <cmath>
#include <vector>

#include "kernels/boundary.h"

namespace ddl::kernels {
namespace {

template <typename R>
R Logistic(R x) {
  return 1 / (1 + std::exp(-x));
}

// x = C(Y), or Y itself; Y is read as it was stored.
template <typename T>
void CompressToken(const BoundaryShape& s, const Real<T>* weight, const T* y, Real<T>* x) {
  for (int64_t i = 0; i < s.d; ++i) x[i] = 0;
  for (int64_t j = 0; j < s.n; ++j) {
    for (int64_t i = 0; i < s.d; ++i) {
      const Real<T> value = ToReal(y[j * s.d + i]);
      x[i] += weight == nullptr ? value : weight[j * s.d + i] * value;
    }
  }
}

template <typename T>
void RewriteToken(const BoundaryForward<T>& call, int64_t t) {
  using R = Real<T>;
  const BoundaryShape& s = call.shape;
  const T* x = call.state + t * s.n * s.d;
  const T* h = call.h + t * s.d;
  T* y = call.next_state + t * s.n * s.d;
  if (s.update == Update::kAdditive) {
    for (int64_t i = 0; i < s.d; ++i) y[i] = FromReal<T>(ToReal(x[i]) + ToReal(h[i]));
    return;
  }
  R square = 0;
  for (int64_t i = 0; i < s.d; ++i) square += ToReal(h[i]) * ToReal(h[i]);
  const R norm = std::sqrt(square + static_cast<R>(call.k_eps * call.k_eps));
  call.h_norm[t] = norm;
  for (int64_t j = 0; j < s.n; ++j) {
    R along = 0;
    if (s.update == Update::kDdl) {
      for (int64_t i = 0; i < s.d; ++i) along += ToReal(h[i]) * ToReal(x[j * s.d + i]);
    }
    const R row = call.v[t * s.n + j] - along / norm;
    call.row[t * s.n + j] = row;
    const R scale = call.beta[t] * row / norm;
    for (int64_t i = 0; i < s.d; ++i) {
      y[j * s.d + i] = FromReal<T>(ToReal(x[j * s.d + i]) + scale * ToReal(h[i]));
    }
  }
}

template <typename T>
void HeadsOfToken(const BoundaryForward<T>& call, int64_t t, const std::vector<Real<T>>& x,
                  Real<T> r) {
  using R = Real<T>;
  const BoundaryShape& s = call.shape;
  const BoundaryWeights<R>& w = call.weights;
  for (int64_t j = 0; w.value_weight != nullptr && j < s.n; ++j) {
    R logit = 0;
    for (int64_t i = 0; i < s.d; ++i) {
      const R input = w.value_reads_c ? x[i] * r * w.gain[i] : x[i];
      logit += w.value_weight[j * s.d + i] * input;
    }
    logit += w.value_bias[j];
    call.next_v[t * s.n + j] = w.value_scale == 0 ? logit : w.value_scale * Logistic(logit);
  }
  if (w.gate_weight == nullptr) return;
  R logit = 0;
  for (int64_t i = 0; i < s.d; ++i) logit += w.gate_weight[i] * x[i] * r * w.gain[i];
  call.next_beta[t] = 2 * Logistic(logit + w.gate_bias[0]);
}

// Gradients of weights over all tokens, summed in double and added once.
struct WeightSums {
  WeightSums(const BoundaryShape& s)
      : compressor(s.n * s.d), gain(s.d), value(s.n * s.d), value_bias(s.n), gate(s.d) {}
  std::vector<double> compressor, gain, value, value_bias, gate;
  double gate_bias = 0;
};

// Values of one token on its way back.
template <typename R>
struct TokenBack {
  explicit TokenBack(const BoundaryShape& s) : x(s.d), dc(s.d), dx(s.d), dy(s.n * s.d), q(s.n) {}
  std::vector<R> x, dc, dx, dy, q;
};

// dc with the heads' part, then dx and the gradients of the weights of norm, heads and compressor.
template <typename T>
void NormBackward(const BoundaryBackward<T>& call, int64_t t, TokenBack<Real<T>>* back,
                  WeightSums* sums) {
  using R = Real<T>;
  const BoundaryShape& s = call.shape;
  const BoundaryWeights<R>& w = call.weights;
  const R r = call.inverse_rms[t];
  const R gate = w.gate_weight == nullptr ? 0 : call.d_gate_logit[t];
  R along = 0;
  for (int64_t i = 0; i < s.d; ++i) {
    R heads = 0;
    const R c = back->x[i] * r * w.gain[i];
    for (int64_t j = 0; w.value_weight != nullptr && j < s.n; ++j) {
      const R d_logit = call.d_value_logits[t * s.n + j];
      heads += d_logit * w.value_weight[j * s.d + i];
      sums->value[j * s.d + i] += d_logit * (w.value_reads_c ? c : back->x[i]);
    }
    R dc = ToReal(call.d_c[t * s.d + i]);
    if (w.gate_weight != nullptr) dc += gate * w.gate_weight[i];
    if (w.value_reads_c) dc += heads;
    sums->gate[i] += gate * c;
    sums->gain[i] += dc * back->x[i] * r;
    along += w.gain[i] * dc * back->x[i];
    back->dc[i] = dc;
    back->dx[i] = w.value_reads_c ? 0 : heads;
  }
  sums->gate_bias += gate;
  for (int64_t j = 0; w.value_weight != nullptr && j < s.n; ++j) {
    sums->value_bias[j] += call.d_value_logits[t * s.n + j];
  }
  const R pull = r * r * along / static_cast<R>(s.d);
  for (int64_t i = 0; i < s.d; ++i) {
    back->dx[i] += r * (w.gain[i] * back->dc[i] - back->x[i] * pull);
  }
}

// dY_j += w_j dx, and the compressor's gradient.
template <typename T>
void CompressBackward(const BoundaryBackward<T>& call, int64_t t, TokenBack<Real<T>>* back,
                      WeightSums* sums) {
  using R = Real<T>;
  const BoundaryShape& s = call.shape;
  const R* weight = call.weights.compressor;
  const int64_t at = t * s.n * s.d;
  for (int64_t j = 0; j < s.n; ++j) {
    for (int64_t i = 0; i < s.d; ++i) {
      const int64_t e = j * s.d + i;
      const R dy = call.d_next_state == nullptr ? 0 : ToReal(call.d_next_state[at + e]);
      back->dy[e] = dy + (weight == nullptr ? back->dx[i] : weight[e] * back->dx[i]);
      sums->compressor[e] += back->dx[i] * ToReal(call.next_state[at + e]);
    }
  }
}

template <typename T>
void RewriteBackward(const BoundaryBackward<T>& call, int64_t t, TokenBack<Real<T>>* back) {
  using R = Real<T>;
  const BoundaryShape& s = call.shape;
  const bool erases = call.shape.update == Update::kDdl;
  const R beta = call.beta[t];
  const R inverse = 1 / call.h_norm[t];
  const T* h = call.h + t * s.d;
  const T* y = call.next_state + t * s.n * s.d;
  R d_beta = 0;
  R m = 0;
  for (int64_t j = 0; j < s.n; ++j) {
    R q = 0;
    for (int64_t i = 0; i < s.d; ++i) q += ToReal(h[i]) * back->dy[j * s.d + i];
    q *= inverse;
    back->q[j] = q;
    const R row = call.row[t * s.n + j];
    const R v = call.v[t * s.n + j];
    d_beta += q * row;
    m += erases ? beta * q * (2 * row - v - beta * row) : beta * q * row;
    const R scale = call.weights.value_scale;
    const R slope = scale == 0 ? R{1} : v * (1 - v / scale);
    call.d_v_logits[t * s.n + j] = beta * q * slope;
  }
  call.d_beta_logit[t] = d_beta * beta * (1 - beta / 2);
  for (int64_t i = 0; i < s.d; ++i) {
    const R k = ToReal(h[i]) * inverse;
    R dk = 0;
    for (int64_t j = 0; j < s.n; ++j) {
      const int64_t e = j * s.d + i;
      dk += back->dy[e] * call.row[t * s.n + j];
      if (!erases) continue;
      dk -= ToReal(y[e]) * back->q[j];
    }
    call.d_h[t * s.d + i] = FromReal<T>((beta * dk - k * m) * inverse);
    for (int64_t j = 0; erases && j < s.n; ++j) back->dy[j * s.d + i] -= beta * k * back->q[j];
  }
}

template <typename R>
void AddSums(const std::vector<double>& sums, R* to) {
  if (to == nullptr) return;
  for (size_t i = 0; i < sums.size(); ++i) to[i] += static_cast<R>(sums[i]);
}

}  // namespace

template <typename T>
Outcome Launch(const BoundaryForward<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckBoundary(call); !fits.ok()) return fits;
  const BoundaryShape& s = call.shape;
  const T* states = s.update == Update::kNone ? call.state : call.next_state;
  std::vector<R> x(s.d);
  for (int64_t t = 0; t < s.tokens; ++t) {
    if (s.update != Update::kNone) RewriteToken(call, t);
    CompressToken(s, call.weights.compressor, states + t * s.n * s.d, x.data());
    R square = 0;
    for (int64_t i = 0; i < s.d; ++i) square += x[i] * x[i];
    const R r = 1 / std::sqrt(square / static_cast<R>(s.d) + static_cast<R>(call.norm_eps));
    call.inverse_rms[t] = r;
    for (int64_t i = 0; i < s.d; ++i) {
      call.c[t * s.d + i] = FromReal<T>(x[i] * r * call.weights.gain[i]);
    }
    HeadsOfToken(call, t, x, r);
  }
  return {};
}

template <typename T>
Outcome Launch(const BoundaryBackward<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckBoundary(call); !fits.ok()) return fits;
  const BoundaryShape& s = call.shape;
  TokenBack<R> back(s);
  WeightSums sums(s);
  for (int64_t t = 0; t < s.tokens; ++t) {
    const int64_t at = t * s.n * s.d;
    CompressToken(s, call.weights.compressor, call.next_state + at, back.x.data());
    NormBackward(call, t, &back, &sums);
    CompressBackward(call, t, &back, &sums);
    if (s.update == Update::kWriteOnly || s.update == Update::kDdl) RewriteBackward(call, t, &back);
    for (int64_t e = 0; e < s.n * s.d; ++e) call.d_state[at + e] = FromReal<T>(back.dy[e]);
  }
  const BoundaryWeights<R>& w = call.weights;
  AddSums(sums.gain, call.d_gain);
  if (w.compressor != nullptr) AddSums(sums.compressor, call.d_compressor);
  if (w.value_weight != nullptr) AddSums(sums.value, call.d_value_weight);
  if (w.value_weight != nullptr) AddSums(sums.value_bias, call.d_value_bias);
  if (w.gate_weight == nullptr) return {};
  AddSums(sums.gate, call.d_gate_weight);
  call.d_gate_bias[0] += static_cast<R>(sums.gate_bias);
  return {};
}

template Outcome Launch(const BoundaryForward<float>&, Cpu);
template Outcome Launch(const BoundaryForward<double>&, Cpu);
template Outcome Launch(const BoundaryForward<Bf16>&, Cpu);
template Outcome Launch(const BoundaryBackward<float>&, Cpu);
template Outcome Launch(const BoundaryBackward<double>&, Cpu);
template Outcome Launch(const BoundaryBackward<Bf16>&, Cpu);

}  // namespace ddl::kernels
