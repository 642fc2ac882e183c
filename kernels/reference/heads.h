// RMSNorm, the gate and the value head of one token (ddl.md section 2), with their gradients.
// Gradients of weights are added to what is there; those of inputs too.
#pragma once

#include "kernels/reference/vector.h"

namespace ddl::kernels::reference {

// x / sqrt(mean(x^2) + eps) * gain.
Vector RmsNorm(const Vector& x, const Vector& gain, double eps);
void RmsNormBackward(const Vector& x, const Vector& gain, double eps, const Vector& d_out,
                     Vector* d_x, Vector* d_gain);

// beta = 2 sigmoid(output . c + bias), or 2 sigmoid(output . tanh(input c) + bias).
struct Gate {
  Vector input;   // (hidden, d); empty: one layer.
  Vector output;  // (d) or (hidden)
  double bias = 0;
};
struct GateGradients {
  Vector input;
  Vector output;
  double bias = 0;
};
GateGradients ZerosLike(const Gate& gate);
double Beta(const Gate& gate, const Vector& c);
void BetaBackward(const Gate& gate, const Vector& c, double d_beta, Vector* d_c,
                  GateGradients* gradients);

// v = scale sigmoid(weight x + bias), or weight x + bias where scale is 0.
struct ValueHead {
  Vector weight;  // (n, d)
  Vector bias;    // (n)
  double scale = 4.0;
};
Vector Value(const ValueHead& head, const Vector& x);
// `gradients` has weight and bias shaped like the head's.
void ValueBackward(const ValueHead& head, const Vector& x, const Vector& d_v, Vector* d_x,
                   ValueHead* gradients);

}  // namespace ddl::kernels::reference
