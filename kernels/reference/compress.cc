#include "kernels/reference/compress.h"

namespace ddl::kernels::reference {
namespace {

int64_t Count(const Vector& v, int64_t row) { return static_cast<int64_t>(v.size()) / row; }

// Calls visit(output position, kernel index, input position, read index) for every product of the
// compressor: x[output] += kernel * X[input] * read.
template <typename Visit>
void EachProduct(const Compressor& c, int64_t rows, const Visit& visit) {
  const int64_t left = (c.taps - 1) / 2;
  for (int64_t t = 0; t < rows; ++t) {
    for (int64_t i = 0; i < c.d; ++i) {
      for (int64_t j = 0; j < c.n; ++j) {
        for (int64_t tap = 0; tap < c.taps; ++tap) {
          if (c.kind == Compressor::Kind::kChannel) {
            const int64_t from = j + tap - left;
            if (from < 0 || from >= c.n) continue;
            visit(t * c.d + i, i * c.taps + tap, (t * c.n + from) * c.d + i, j);
          } else {
            const int64_t back = c.taps - 1 - tap;
            if (t % c.tokens < back) continue;
            visit(t * c.d + i, (i * c.n + j) * c.taps + tap, ((t - back) * c.n + j) * c.d + i, j);
          }
        }
      }
    }
  }
}

template <typename Visit>
void EachTap(const EmbeddingConvolution& c, int64_t rows, const Visit& visit) {
  for (int64_t t = 0; t < rows; ++t) {
    for (int64_t j = 0; j < c.n; ++j) {
      for (int64_t i = 0; i < c.d; ++i) {
        for (int64_t tap = 0; tap < c.taps; ++tap) {
          const int64_t back = c.taps - 1 - tap;
          if (t % c.tokens < back) continue;
          visit((t * c.n + j) * c.d + i, (i * c.n + j) * c.taps + tap, (t - back) * c.d + i);
        }
      }
    }
  }
}

}  // namespace

Vector Compress(const Compressor& c, const Vector& state) {
  if (c.kind == Compressor::Kind::kNone) return state;
  const int64_t rows = Count(state, c.n * c.d);
  Vector x = Zeros(rows * c.d);
  EachProduct(c, rows, [&](int64_t to, int64_t tap, int64_t from, int64_t j) {
    x[to] += c.kernel[tap] * state[from] * c.read[j];
  });
  return x;
}

void CompressBackward(const Compressor& c, const Vector& state, const Vector& d_x, Vector* d_state,
                      Vector* d_kernel, Vector* d_read) {
  if (c.kind == Compressor::Kind::kNone) {
    AddScaled(1.0, d_x.data(), Count(d_x, 1), d_state->data());
    return;
  }
  EachProduct(c, Count(state, c.n * c.d), [&](int64_t to, int64_t tap, int64_t from, int64_t j) {
    (*d_state)[from] += d_x[to] * c.kernel[tap] * c.read[j];
    (*d_kernel)[tap] += d_x[to] * state[from] * c.read[j];
    (*d_read)[j] += d_x[to] * c.kernel[tap] * state[from];
  });
}

Vector FoldChannel(const Compressor& c) {
  // The compressor is linear in the state: its weights are what it makes of unit states.
  Vector folded = Zeros(c.n * c.d);
  for (int64_t j = 0; j < c.n; ++j) {
    Vector unit = Zeros(c.n * c.d);
    for (int64_t i = 0; i < c.d; ++i) unit[j * c.d + i] = 1.0;
    const Vector x = Compress(c, unit);
    for (int64_t i = 0; i < c.d; ++i) folded[j * c.d + i] = x[i];
  }
  return folded;
}

Vector Expand(const EmbeddingConvolution& c, const Vector& embedding) {
  const int64_t rows = Count(embedding, c.d);
  Vector state = Zeros(rows * c.n * c.d);
  if (c.kernel.empty()) {
    for (int64_t row = 0; row < rows * c.n; ++row) {
      AddScaled(1.0, &embedding[row / c.n * c.d], c.d, &state[row * c.d]);
    }
    return state;
  }
  EachTap(c, rows, [&](int64_t to, int64_t tap, int64_t from) {
    state[to] += c.kernel[tap] * embedding[from];
  });
  return state;
}

void ExpandBackward(const EmbeddingConvolution& c, const Vector& embedding, const Vector& d_state,
                    Vector* d_embedding, Vector* d_kernel) {
  const int64_t rows = Count(embedding, c.d);
  if (c.kernel.empty()) {
    for (int64_t row = 0; row < rows * c.n; ++row) {
      AddScaled(1.0, &d_state[row * c.d], c.d, &(*d_embedding)[row / c.n * c.d]);
    }
    return;
  }
  EachTap(c, rows, [&](int64_t to, int64_t tap, int64_t from) {
    (*d_kernel)[tap] += d_state[to] * embedding[from];
    (*d_embedding)[from] += d_state[to] * c.kernel[tap];
  });
}

}  // namespace ddl::kernels::reference
