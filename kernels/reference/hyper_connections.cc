#include "kernels/reference/hyper_connections.h"

#include "kernels/reference/heads.h"

namespace ddl::kernels::reference {
namespace {

Vector Stream(const HyperConnection& c, const Vector& streams, int64_t s) {
  return {streams.begin() + s * c.d, streams.begin() + (s + 1) * c.d};
}

// tanh(norm(H_s) . W[:, column]) of a weight with `columns` columns.
double Bend(const HyperConnection& c, const Vector& normed, const Vector& w, int64_t columns,
            int64_t column) {
  double sum = 0;
  for (int64_t i = 0; i < c.d; ++i) sum += normed[i] * w[i * columns + column];
  return std::tanh(sum);
}

double Alpha(const HyperConnection& c, const Vector& streams, int64_t s, int64_t m) {
  const double fixed = c.static_alpha[s * (c.n + 1) + m];
  if (!c.dynamic) return fixed;
  const Vector normed = RmsNorm(Stream(c, streams, s), c.gain, c.norm_eps);
  return fixed + c.scale_alpha * Bend(c, normed, c.w_alpha, c.n + 1, m);
}

double BetaOf(const HyperConnection& c, const Vector& streams, int64_t s) {
  if (!c.dynamic) return c.static_beta[s];
  const Vector normed = RmsNorm(Stream(c, streams, s), c.gain, c.norm_eps);
  return c.static_beta[s] + c.scale_beta * Bend(c, normed, c.w_beta, 1, 0);
}

// The dynamic weights of one coefficient and where their gradients go.
struct DynamicPart {
  const Vector& w;  // (d, columns).
  int64_t columns = 1;
  int64_t column = 0;
  double scale = 0;
  Vector* d_w = nullptr;
  double* d_scale = nullptr;
};

// The dynamic part of one coefficient, back to its weights and to the stream.
void BendBackward(const HyperConnection& c, const Vector& streams, int64_t s,
                  const DynamicPart& part, double d_coefficient, Vector* d_streams,
                  Vector* d_gain) {
  const auto& [w, columns, column, scale, d_w, d_scale] = part;
  const Vector stream = Stream(c, streams, s);
  const Vector normed = RmsNorm(stream, c.gain, c.norm_eps);
  const double bend = Bend(c, normed, w, columns, column);
  *d_scale += d_coefficient * bend;
  const double d_sum = d_coefficient * scale * (1.0 - bend * bend);
  Vector d_normed = Zeros(c.d);
  for (int64_t i = 0; i < c.d; ++i) {
    (*d_w)[i * columns + column] += d_sum * normed[i];
    d_normed[i] = d_sum * w[i * columns + column];
  }
  Vector d_stream = Zeros(c.d);
  RmsNormBackward(stream, c.gain, c.norm_eps, d_normed, &d_stream, d_gain);
  AddScaled(1.0, d_stream.data(), c.d, &(*d_streams)[s * c.d]);
}

// One mixed vector m = sum_s A[s][m] H_s, back to A and H.
void MixBackward(const HyperConnection& c, const Vector& streams, int64_t m, const double* d_mixed,
                 Vector* d_streams, HyperConnection* gradients) {
  for (int64_t s = 0; s < c.n; ++s) {
    const double d_alpha = Dot(d_mixed, &streams[s * c.d], c.d);
    AddScaled(Alpha(c, streams, s, m), d_mixed, c.d, &(*d_streams)[s * c.d]);
    gradients->static_alpha[s * (c.n + 1) + m] += d_alpha;
    if (!c.dynamic) continue;
    const DynamicPart part = {
        c.w_alpha, c.n + 1, m, c.scale_alpha, &gradients->w_alpha, &gradients->scale_alpha};
    BendBackward(c, streams, s, part, d_alpha, d_streams, &gradients->gain);
  }
}

Vector Mixed(const HyperConnection& c, const Vector& streams, int64_t m) {
  Vector mixed = Zeros(c.d);
  for (int64_t s = 0; s < c.n; ++s) {
    AddScaled(Alpha(c, streams, s, m), &streams[s * c.d], c.d, mixed.data());
  }
  return mixed;
}

}  // namespace

HyperConnection ZerosLike(const HyperConnection& c) {
  HyperConnection zeros = c;
  for (Vector* v :
       {&zeros.static_alpha, &zeros.static_beta, &zeros.gain, &zeros.w_alpha, &zeros.w_beta}) {
    v->assign(v->size(), 0.0);
  }
  zeros.scale_alpha = 0;
  zeros.scale_beta = 0;
  return zeros;
}

Vector StreamInput(const HyperConnection& c, const Vector& streams) { return Mixed(c, streams, 0); }

Vector NextStreams(const HyperConnection& c, const Vector& streams, const Vector& output) {
  Vector next = Zeros(c.n * c.d);
  for (int64_t j = 0; j < c.n; ++j) {
    const Vector mixed = Mixed(c, streams, 1 + j);
    AddScaled(1.0, mixed.data(), c.d, &next[j * c.d]);
    AddScaled(BetaOf(c, streams, j), output.data(), c.d, &next[j * c.d]);
  }
  return next;
}

void NextStreamsBackward(const HyperConnection& c, const Vector& streams, const Vector& output,
                         const Vector& d_next, Vector* d_streams, Vector* d_output,
                         HyperConnection* gradients) {
  for (int64_t j = 0; j < c.n; ++j) {
    const double* d_row = &d_next[j * c.d];
    MixBackward(c, streams, 1 + j, d_row, d_streams, gradients);
    AddScaled(BetaOf(c, streams, j), d_row, c.d, d_output->data());
    const double d_beta = Dot(d_row, output.data(), c.d);
    gradients->static_beta[j] += d_beta;
    if (!c.dynamic) continue;
    const DynamicPart part = {
        c.w_beta, 1, 0, c.scale_beta, &gradients->w_beta, &gradients->scale_beta};
    BendBackward(c, streams, j, part, d_beta, d_streams, &gradients->gain);
  }
}

void StreamInputBackward(const HyperConnection& c, const Vector& streams, const Vector& d_input,
                         Vector* d_streams, HyperConnection* gradients) {
  MixBackward(c, streams, 0, d_input.data(), d_streams, gradients);
}

}  // namespace ddl::kernels::reference
