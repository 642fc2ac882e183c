// What users may call things, and the ids that the service gives them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace ddl {

// Names: [a-z0-9]([a-z0-9._-]{0,62}). kInvalidArgument names the value (escaped) and the rule.
absl::Status CheckName(absl::string_view value);

// Title, notes, tags: valid UTF-8, at most 256 bytes, no control and no bidirectional characters.
absl::Status CheckText(absl::string_view value);

// A path in a spec: not empty, at most 4,096 bytes, no NUL or control character, no ".." component.
absl::Status CheckPath(absl::string_view value);

// Run and experiment ids: 8 characters of kIdAlphabet (base 32 without i, l, o, u).
inline constexpr absl::string_view kIdAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
inline constexpr int kIdLength = 8;
std::string IdFromBits(uint64_t bits);  // The low 40 bits.
bool IsId(absl::string_view value);
bool IsIdPrefix(absl::string_view value);  // 1 to 8 characters of the alphabet.

// 128 random bits in hex, for request ids, sessions and trace ids. The one place, with the
// program's main, that reads the system's randomness.
std::string RandomToken();
uint64_t RandomBits();

// Where the first byte is that is not UTF-8 (overlong forms and surrogates included); npos for
// none.
size_t FirstNonUtf8(absl::string_view text);

// Value for an error message: quoted, control characters escaped, cut after 64 bytes.
std::string Quoted(absl::string_view value);

// The candidate nearest to `word` by edit distance, if near enough to be a slip; empty otherwise.
template <typename Range>
std::string DidYouMean(absl::string_view word, const Range& candidates);
int EditDistance(absl::string_view a, absl::string_view b);

template <typename Range>
std::string DidYouMean(absl::string_view word, const Range& candidates) {
  std::string best;
  int best_distance = word.size() <= 3 ? 2 : 3;  // Exclusive.
  for (const auto& candidate : candidates) {
    const int distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = std::string(candidate);
    }
  }
  return best;
}

}  // namespace ddl
