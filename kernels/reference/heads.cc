#include "kernels/reference/heads.h"

namespace ddl::kernels::reference {
namespace {

int64_t Width(const Vector& x) { return static_cast<int64_t>(x.size()); }

double InverseRms(const Vector& x, double eps) {
  return 1.0 / std::sqrt(Dot(x.data(), x.data(), Width(x)) / static_cast<double>(x.size()) + eps);
}

// What the gate's last layer reads: c, or tanh of the hidden layer.
Vector LastInput(const Gate& gate, const Vector& c) {
  if (gate.input.empty()) return c;
  Vector hidden = Zeros(Width(gate.output));
  for (int64_t row = 0; row < Width(hidden); ++row) {
    hidden[row] = std::tanh(Dot(&gate.input[row * Width(c)], c.data(), Width(c)));
  }
  return hidden;
}

}  // namespace

Vector RmsNorm(const Vector& x, const Vector& gain, double eps) {
  Vector out = x;
  const double r = InverseRms(x, eps);
  for (size_t i = 0; i < out.size(); ++i) out[i] *= r * gain[i];
  return out;
}

void RmsNormBackward(const Vector& x, const Vector& gain, double eps, const Vector& d_out,
                     Vector* d_x, Vector* d_gain) {
  const double r = InverseRms(x, eps);
  double d_r = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    d_r += d_out[i] * gain[i] * x[i];
    (*d_gain)[i] += d_out[i] * x[i] * r;
  }
  // dr/dx_i = -r^3 x_i / d.
  const double pull = d_r * r * r * r / static_cast<double>(x.size());
  for (size_t i = 0; i < x.size(); ++i) (*d_x)[i] += d_out[i] * gain[i] * r - pull * x[i];
}

GateGradients ZerosLike(const Gate& gate) {
  return {.input = Zeros(Width(gate.input)), .output = Zeros(Width(gate.output)), .bias = 0};
}

double Beta(const Gate& gate, const Vector& c) {
  const Vector last = LastInput(gate, c);
  return 2.0 * Sigmoid(Dot(gate.output.data(), last.data(), Width(last)) + gate.bias);
}

void BetaBackward(const Gate& gate, const Vector& c, double d_beta, Vector* d_c,
                  GateGradients* gradients) {
  const Vector last = LastInput(gate, c);
  const double s = Sigmoid(Dot(gate.output.data(), last.data(), Width(last)) + gate.bias);
  const double d_logit = d_beta * 2.0 * s * (1.0 - s);
  gradients->bias += d_logit;
  AddScaled(d_logit, last.data(), Width(last), gradients->output.data());
  if (gate.input.empty()) {
    AddScaled(d_logit, gate.output.data(), Width(c), d_c->data());
    return;
  }
  for (int64_t row = 0; row < Width(last); ++row) {
    const double d_hidden = d_logit * gate.output[row] * (1.0 - last[row] * last[row]);
    AddScaled(d_hidden, c.data(), Width(c), &gradients->input[row * Width(c)]);
    AddScaled(d_hidden, &gate.input[row * Width(c)], Width(c), d_c->data());
  }
}

Vector Value(const ValueHead& head, const Vector& x) {
  Vector v = head.bias;
  for (size_t j = 0; j < v.size(); ++j) {
    v[j] += Dot(&head.weight[j * x.size()], x.data(), Width(x));
    if (head.scale != 0) v[j] = head.scale * Sigmoid(v[j]);
  }
  return v;
}

void ValueBackward(const ValueHead& head, const Vector& x, const Vector& d_v, Vector* d_x,
                   ValueHead* gradients) {
  for (size_t j = 0; j < d_v.size(); ++j) {
    double d_logit = d_v[j];
    if (head.scale != 0) {
      const double s = Sigmoid(Dot(&head.weight[j * x.size()], x.data(), Width(x)) + head.bias[j]);
      d_logit *= head.scale * s * (1.0 - s);
    }
    gradients->bias[j] += d_logit;
    AddScaled(d_logit, x.data(), Width(x), &gradients->weight[j * x.size()]);
    AddScaled(d_logit, &head.weight[j * x.size()], Width(x), d_x->data());
  }
}

}  // namespace ddl::kernels::reference
