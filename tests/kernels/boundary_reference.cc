#include "tests/kernels/boundary_reference.h"

#include "tests/kernels/buffer.h"

namespace ddl::kernels {
namespace {

using reference::RewriteInput;
using reference::Vector;
using reference::Zeros;

Vector Slice(const Vector& rows, int64_t t, int64_t width) {
  return {rows.begin() + t * width, rows.begin() + (t + 1) * width};
}

void Put(const Vector& row, Vector* rows) { rows->insert(rows->end(), row.begin(), row.end()); }

RewriteInput InputOf(const BoundaryTruth& b, int64_t t) {
  const BoundaryShape& s = b.shape;
  RewriteInput in{.n = s.n, .d = s.d, .eps = b.k_eps};
  in.kind = s.update == Update::kAdditive    ? reference::RewriteKind::kAdditive
            : s.update == Update::kWriteOnly ? reference::RewriteKind::kWriteOnly
                                             : reference::RewriteKind::kDdl;
  in.state = Slice(b.state, t, s.n * s.d);
  if (s.update == Update::kNone) return in;
  in.h = Slice(b.h, t, s.d);
  in.v = IsGated(s) ? Slice(b.v, t, s.n) : Zeros(s.n);
  in.beta = IsGated(s) ? b.beta[t] : 1;
  return in;
}

Vector Compressed(const BoundaryTruth& b, const Vector& state) {
  Vector x = Zeros(b.shape.d);
  for (int64_t j = 0; j < b.shape.n; ++j) {
    for (int64_t i = 0; i < b.shape.d; ++i) {
      const int64_t e = j * b.shape.d + i;
      x[i] += (b.compressor.empty() ? 1.0 : b.compressor[e]) * state[e];
    }
  }
  return x;
}

// Heads as linear maps of the given logits' gradients; the gate is a head of one channel.
void HeadsBackward(BoundaryTruth* b, int64_t t, const Vector& x, const Vector& c, Vector* d_x,
                   Vector* d_c) {
  const bool reads_c = b->value_reads_c;
  reference::ValueHead d_value{.weight = Zeros(b->shape.n * b->shape.d), .bias = Zeros(b->shape.n)};
  reference::ValueBackward({.weight = b->value_weight, .bias = b->value_bias, .scale = 0},
                           reads_c ? c : x, Slice(b->d_value_logits, t, b->shape.n),
                           reads_c ? d_c : d_x, &d_value);
  reference::ValueHead d_gate{.weight = Zeros(b->shape.d), .bias = Zeros(1)};
  reference::ValueBackward({.weight = b->gate_weight, .bias = b->gate_bias, .scale = 0}, c,
                           {b->d_gate_logit[t]}, d_c, &d_gate);
  for (int64_t e = 0; e < b->shape.n * b->shape.d; ++e) b->d_value_weight[e] += d_value.weight[e];
  for (int64_t j = 0; j < b->shape.n; ++j) b->d_value_bias[j] += d_value.bias[j];
  for (int64_t i = 0; i < b->shape.d; ++i) b->d_gate_weight[i] += d_gate.weight[i];
  b->d_gate_bias[0] += d_gate.bias[0];
}

void ForwardToken(BoundaryTruth* b, int64_t t) {
  const RewriteInput in = InputOf(*b, t);
  const Vector next = b->shape.update == Update::kNone ? in.state : reference::Rewrite(in);
  const Vector x = Compressed(*b, next);
  const Vector c = reference::RmsNorm(x, b->gain, b->norm_eps);
  Put(next, &b->next_state);
  Put(c, &b->c);
  if (!b->has_heads) return;
  Put(reference::Value({b->value_weight, b->value_bias, b->value_scale}, b->value_reads_c ? c : x),
      &b->next_v);
  b->next_beta.push_back(
      reference::Beta({.input = {}, .output = b->gate_weight, .bias = b->gate_bias[0]}, c));
}

void BackwardToken(BoundaryTruth* b, int64_t t) {
  const int64_t width = b->shape.n * b->shape.d;
  const Vector next = Slice(b->next_state, t, width);
  const Vector x = Compressed(*b, next);
  Vector d_x = Zeros(b->shape.d);
  Vector d_c = Slice(b->d_c, t, b->shape.d);
  if (b->has_heads) HeadsBackward(b, t, x, Slice(b->c, t, b->shape.d), &d_x, &d_c);
  reference::RmsNormBackward(x, b->gain, b->norm_eps, d_c, &d_x, &b->d_gain);
  Vector d_next = b->has_d_next ? Slice(b->d_next, t, width) : Zeros(width);
  for (int64_t e = 0; e < width; ++e) {
    const int64_t i = e % b->shape.d;
    d_next[e] += (b->compressor.empty() ? 1.0 : b->compressor[e]) * d_x[i];
    b->d_compressor[e] += d_x[i] * next[e];
  }
  if (b->shape.update == Update::kNone) return Put(d_next, &b->d_state);
  const reference::RewriteGradients d = reference::RewriteBackward(InputOf(*b, t), d_next);
  Put(d.state, &b->d_state);
  Put(d.h, &b->d_h);
  if (!IsGated(b->shape)) return;
  // Through the activations that made v and beta: v = s sigmoid(l), so that l = log(v / (s - v)).
  for (int64_t j = 0; j < b->shape.n; ++j) {
    const double sigma = b->value_scale == 0 ? 0 : b->v[t * b->shape.n + j] / b->value_scale;
    const double slope = b->value_scale == 0 ? 1 : b->value_scale * sigma * (1 - sigma);
    b->d_v_logits.push_back(d.v[j] * slope);
  }
  const double sigma = b->beta[t] / 2;
  b->d_beta_logit.push_back(d.beta * 2 * sigma * (1 - sigma));
}

}  // namespace

bool IsGated(const BoundaryShape& shape) {
  return shape.update == Update::kWriteOnly || shape.update == Update::kDdl;
}

template <typename T>
void FillInputs(BoundaryTruth* b, std::mt19937* random) {
  using R = Real<T>;
  const BoundaryShape& s = b->shape;
  const double thin = 1.0 / std::sqrt(static_cast<double>(s.d));
  b->state = RandomValues<T>(s.tokens * s.n * s.d, 1.0, random);
  b->h = RandomValues<T>(s.tokens * s.d, 0.5, random);
  b->d_next = RandomValues<T>(s.tokens * s.n * s.d, 1.0, random);
  b->d_c = RandomValues<T>(s.tokens * s.d, 1.0, random);
  std::uniform_real_distribution<float> open(0.05F, 0.95F);
  const double largest = b->value_scale == 0 ? 3.0 : b->value_scale;
  for (int64_t e = 0; e < s.tokens * s.n; ++e) {
    b->v.push_back(static_cast<double>(static_cast<float>(largest * open(*random))));
  }
  for (int64_t t = 0; t < s.tokens; ++t) b->beta.push_back(2.0 * open(*random));
  if (s.n > 1) b->compressor = RandomValues<R>(s.n * s.d, 0.5, random);
  b->gain = RandomValues<R>(s.d, 0.3, random);
  for (double& gain : b->gain) gain = static_cast<double>(static_cast<R>(1.0 + gain));
  if (!b->has_heads) return;
  b->value_weight = RandomValues<R>(s.n * s.d, thin, random);
  b->value_bias = RandomValues<R>(s.n, 0.5, random);
  b->gate_weight = RandomValues<R>(s.d, thin, random);
  b->gate_bias = RandomValues<R>(1, 0.5, random);
  b->d_value_logits = RandomValues<R>(s.tokens * s.n, 1.0, random);
  b->d_gate_logit = RandomValues<R>(s.tokens, 1.0, random);
}

void ComputeTruth(BoundaryTruth* b) {
  const int64_t width = b->shape.n * b->shape.d;
  b->d_compressor = Zeros(width);
  b->d_gain = Zeros(b->shape.d);
  b->d_value_weight = Zeros(width);
  b->d_value_bias = Zeros(b->shape.n);
  b->d_gate_weight = Zeros(b->shape.d);
  b->d_gate_bias = Zeros(1);
  for (int64_t t = 0; t < b->shape.tokens; ++t) {
    ForwardToken(b, t);
    BackwardToken(b, t);
  }
}

template void FillInputs<float>(BoundaryTruth*, std::mt19937*);
template void FillInputs<double>(BoundaryTruth*, std::mt19937*);
template void FillInputs<Bf16>(BoundaryTruth*, std::mt19937*);

}  // namespace ddl::kernels
