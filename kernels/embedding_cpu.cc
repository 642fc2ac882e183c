#include <algorithm>
#include <numeric>

#include "kernels/embedding.h"

namespace ddl::kernels {
namespace {

template <typename Call>
void RequireEmbedding(const Call& call, Contract* contract) {
  const EmbeddingShape& s = call.shape;
  contract->Between("tokens", s.tokens, 1, 2147483647)
      .Between("sequence", s.sequence, 1, 2147483647)
      .Between("d", s.d, 32, 4096)
      .MultipleOf("d", s.d, 8)
      .Between("n", s.n, 1, 8)
      .Between("taps", s.taps, 0, 8)
      .Aligned("ids", call.ids, kVectorBytes)
      .Aligned("embedding", call.embedding, kVectorBytes);
  if (contract->outcome().ok()) contract->MultipleOf("tokens", s.tokens, s.sequence);
  if (s.taps > 0) contract->Aligned("kernel", call.kernel, kVectorBytes);
}

// Calls visit(position of the row read, kernel column); without taps once, for the token itself.
template <typename Visit>
void EachTap(const EmbeddingShape& s, int64_t t, const Visit& visit) {
  if (s.taps == 0) visit(t, int64_t{-1});
  for (int64_t tap = 0; tap < s.taps; ++tap) {
    const int64_t back = s.taps - 1 - tap;
    if (t % s.sequence >= back) visit(t - back, tap);
  }
}

}  // namespace

std::vector<int32_t> SortedPositions(const int32_t* ids, int64_t tokens) {
  std::vector<int32_t> order(static_cast<size_t>(tokens));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [ids](int32_t a, int32_t b) { return ids[a] < ids[b]; });
  return order;
}

template <typename T>
Outcome CheckEmbedding(const EmbeddingForward<T>& call) {
  Contract contract("embedding forward");
  RequireEmbedding(call, &contract);
  return contract.Aligned("state", call.state, kVectorBytes).outcome();
}

template <typename T>
Outcome CheckEmbedding(const EmbeddingBackward<T>& call) {
  Contract contract("embedding backward");
  RequireEmbedding(call, &contract);
  contract.Aligned("order", call.order, kVectorBytes)
      .Aligned("d_state", call.d_state, kVectorBytes)
      .Aligned("d_embedding", call.d_embedding, kVectorBytes);
  if (call.shape.taps > 0) contract.Aligned("d_kernel", call.d_kernel, kVectorBytes);
  return contract.outcome();
}

template <typename T>
Outcome Launch(const EmbeddingForward<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckEmbedding(call); !fits.ok()) return fits;
  const EmbeddingShape& s = call.shape;
  std::vector<R> row(s.d);
  for (int64_t out = 0; out < s.tokens * s.n; ++out) {
    const int64_t j = out % s.n;
    std::fill(row.begin(), row.end(), R{0});
    EachTap(s, out / s.n, [&](int64_t from, int64_t tap) {
      const T* source = call.embedding + call.ids[from] * s.d;
      for (int64_t i = 0; i < s.d; ++i) {
        const R weight = tap < 0 ? R{1} : call.kernel[(i * s.n + j) * s.taps + tap];
        row[i] += call.scale * weight * ToReal(source[i]);
      }
    });
    for (int64_t i = 0; i < s.d; ++i) call.state[out * s.d + i] = FromReal<T>(row[i]);
  }
  return {};
}

template <typename T>
Outcome Launch(const EmbeddingBackward<T>& call, Cpu /*place*/) {
  using R = Real<T>;
  if (Outcome fits = CheckEmbedding(call); !fits.ok()) return fits;
  const EmbeddingShape& s = call.shape;
  for (int64_t out = 0; out < s.tokens * s.n; ++out) {
    const int64_t j = out % s.n;
    const T* d_out = call.d_state + out * s.d;
    EachTap(s, out / s.n, [&](int64_t from, int64_t tap) {
      const int64_t row = call.ids[from] * s.d;
      for (int64_t i = 0; i < s.d; ++i) {
        const R d = call.scale * ToReal(d_out[i]);
        const int64_t at = (i * s.n + j) * s.taps + tap;
        call.d_embedding[row + i] += tap < 0 ? d : d * call.kernel[at];
        if (tap >= 0) call.d_kernel[at] += d * ToReal(call.embedding[row + i]);
      }
    });
  }
  return {};
}

#define DDL_INSTANTIATE(T)                                      \
  template Outcome CheckEmbedding(const EmbeddingForward<T>&);  \
  template Outcome CheckEmbedding(const EmbeddingBackward<T>&); \
  template Outcome Launch(const EmbeddingForward<T>&, Cpu);     \
  template Outcome Launch(const EmbeddingBackward<T>&, Cpu);
DDL_INSTANTIATE(float)
DDL_INSTANTIATE(double)
DDL_INSTANTIATE(Bf16)
#undef DDL_INSTANTIATE

}  // namespace ddl::kernels
