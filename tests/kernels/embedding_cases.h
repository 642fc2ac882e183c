// Embedding with its convolution at one place against the reference's convolution and a plain sum
// over positions of each id.
#pragma once

#include "kernels/embedding.h"
#include "kernels/reference/compress.h"
#include "tests/kernels/buffer.h"

namespace ddl::kernels {

template <typename T, typename Place>
void CheckEmbeddingCase(const EmbeddingShape& s, int64_t vocabulary, double scale, Place place,
                        std::mt19937* random) {
  using R = Real<T>;
  std::vector<double> ids;
  std::vector<int32_t> host_ids;
  for (int64_t t = 0; t < s.tokens; ++t) {
    host_ids.push_back(
        std::uniform_int_distribution<int32_t>(0, static_cast<int32_t>(vocabulary - 1))(*random));
    ids.push_back(host_ids.back());
  }
  const std::vector<int32_t> sorted = SortedPositions(host_ids.data(), s.tokens);
  const std::vector<double> embedding = RandomValues<T>(vocabulary * s.d, 1.0, random);
  const std::vector<double> d_state = RandomValues<T>(s.tokens * s.n * s.d, 1.0, random);
  reference::EmbeddingConvolution c{.n = s.n, .d = s.d, .taps = s.taps, .tokens = s.sequence};
  if (s.taps > 0) c.kernel = RandomValues<R>(s.d * s.n * s.taps, 0.5, random);
  reference::Vector rows;
  for (const int32_t id : host_ids) {
    for (int64_t i = 0; i < s.d; ++i) rows.push_back(scale * embedding[id * s.d + i]);
  }
  const reference::Vector state = reference::Expand(c, rows);
  reference::Vector d_rows = reference::Zeros(s.tokens * s.d);
  reference::Vector d_kernel = reference::Zeros(static_cast<int64_t>(c.kernel.size()));
  reference::ExpandBackward(c, rows, d_state, &d_rows, &d_kernel);
  std::vector<double> d_embedding(vocabulary * s.d, 1.0);  // Added to.
  for (int64_t e = 0; e < s.tokens * s.d; ++e) {
    d_embedding[host_ids[e / s.d] * s.d + e % s.d] += scale * d_rows[e];
  }
  INFO("tokens " << s.tokens << " of " << s.sequence << ", d " << s.d << ", n " << s.n << ", taps "
                 << s.taps << ", bytes " << sizeof(T));
  Buffer<int32_t, Place> id_buffer(ids), order(std::vector<double>(sorted.begin(), sorted.end()));
  Buffer<T, Place> table(embedding), d_out(d_state), got(s.tokens * s.n * s.d);
  Buffer<R, Place> kernel(c.kernel), d_table(std::vector<double>(vocabulary * s.d, 1.0)),
      d_taps(std::vector<double>(c.kernel.size(), 0.0));
  int64_t workspace_size = 1;
  if constexpr (!std::is_same_v<Place, Cpu>) workspace_size = EmbeddingWorkspace(s);
  Buffer<R, Place> workspace(workspace_size);
  REQUIRE(Launch(EmbeddingForward<T>{s, id_buffer.data(), table.data(), kernel.data(),
                                     static_cast<R>(scale), got.data()},
                 place)
              .ok());
  REQUIRE(
      Launch(EmbeddingBackward<T>{s, id_buffer.data(), order.data(), table.data(), kernel.data(),
                                  static_cast<R>(scale), d_out.data(), d_table.data(),
                                  d_taps.data(), workspace.data(), workspace_size},
             place)
          .ok());
  CHECK(RelativeError(got.Values(), state) < Tolerance<T>());
  CHECK(RelativeError(d_table.Values(), d_embedding) < Tolerance<T>());
  if (s.taps > 0) CHECK(RelativeError(d_taps.Values(), d_kernel) < Tolerance<T>());
}

template <typename Place>
void CheckEmbeddings(Place place, int rounds, int64_t most_tokens, int64_t widest) {
  const auto seed = std::random_device()();
  std::mt19937 random(seed);
  INFO("seed " << seed);
  const auto pick = [&](int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  };
  for (int round = 0; round < rounds; ++round) {
    EmbeddingShape s;
    s.sequence = pick(1, most_tokens);
    s.tokens = s.sequence * pick(1, 3);
    s.d = 8 * pick(4, widest / 8);
    s.n = pick(1, 8);
    s.taps = round % 3 == 0 ? 0 : pick(1, 8);
    const int64_t vocabulary = round % 2 == 0 ? 5 : 200;
    const double scale = round % 2 == 0 ? 1.0 : 4.0;
    if constexpr (std::is_same_v<Place, Cpu>) {
      CheckEmbeddingCase<double>(s, vocabulary, scale, place, &random);
    }
    CheckEmbeddingCase<float>(s, vocabulary, scale, place, &random);
    CheckEmbeddingCase<Bf16>(s, vocabulary, scale, place, &random);
  }
}

}  // namespace ddl::kernels
