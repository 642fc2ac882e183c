// The next token of generated text: temperature, then top-k, then top-p (Holtzman et al., arXiv
// 1904.09751). Pure: the random number is an argument.
#pragma once

#include <cstdint>
#include <vector>

namespace ddl {

struct SamplingConfig {
  double temperature = 1.0;  // 0: the likeliest token.
  int64_t top_k = 0;         // Only the k likeliest tokens; 0: all.
  double top_p = 1.0;        // The likeliest tokens that together reach this; in (0, 1].
};

// The token that `uniform` in [0, 1) picks among logits (V), at least one and all finite. Of equal
// logits the lower token counts as likelier.
int64_t SampleToken(const std::vector<float>& logits, const SamplingConfig& config, double uniform);

}  // namespace ddl
