#include "worker/model/random_stream.h"

#include <cmath>
#include <numbers>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/digest.h"

namespace ddl {
namespace {

constexpr uint32_t kMultiplier0 = 0xD2511F53;
constexpr uint32_t kMultiplier1 = 0xCD9E8D57;
constexpr uint32_t kWeyl0 = 0x9E3779B9;
constexpr uint32_t kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

// (0, 1], never 0, so that its logarithm is finite.
double UnitInterval(uint32_t bits) { return (static_cast<double>(bits) + 1.0) * 0x1p-32; }

}  // namespace

std::array<uint32_t, 4> Philox(const std::array<uint32_t, 4>& counter,
                               const std::array<uint32_t, 2>& key) {
  std::array<uint32_t, 4> c = counter;
  std::array<uint32_t, 2> k = key;
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = uint64_t{kMultiplier0} * c[0];
    const uint64_t product1 = uint64_t{kMultiplier1} * c[2];
    c = {static_cast<uint32_t>(product1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(product1),
         static_cast<uint32_t>(product0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(product0)};
    k[0] += kWeyl0;
    k[1] += kWeyl1;
  }
  return c;
}

RandomStream::RandomStream(uint64_t seed, absl::string_view name) {
  const std::string digest = Sha256Hex(absl::StrCat(kRecipeVersion, "/", seed, "/", name));
  std::array<uint32_t, 4> words{};
  for (size_t i = 0; i < words.size(); ++i) {
    DDL_CHECK(absl::SimpleHexAtoi(absl::string_view(digest).substr(8 * i, 8), &words[i]));
  }
  key_ = {words[0], words[1]};
  high_counter_ = {words[2], words[3]};
}

std::array<uint32_t, 4> RandomStream::At(uint64_t index) const {
  return Philox({static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), high_counter_[0],
                 high_counter_[1]},
                key_);
}

void RandomStream::FillNormal(float* values, int64_t count, double deviation) const {
  for (int64_t start = 0; start < count; start += 4) {
    const std::array<uint32_t, 4> bits = At(static_cast<uint64_t>(start / 4));
    for (int64_t pair = 0; pair < 2; ++pair) {
      const size_t at = static_cast<size_t>(2 * pair);
      const double radius = deviation * std::sqrt(-2.0 * std::log(UnitInterval(bits[at])));
      const double angle = 2.0 * std::numbers::pi * UnitInterval(bits[at + 1]);
      const int64_t first = start + 2 * pair;
      if (first < count) values[first] = static_cast<float>(radius * std::cos(angle));
      if (first + 1 < count) values[first + 1] = static_cast<float>(radius * std::sin(angle));
    }
  }
}

}  // namespace ddl
