#include "common/numbers.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl {
namespace {

constexpr size_t kMaxNumberBytes = 64;

struct Suffix {
  absl::string_view text;
  uint64_t factor;
  int decimal_exponent;  // Of a power of ten besides.
};

constexpr std::array<Suffix, 6> kTokenSuffixes = {
    {{"k", 1, 3}, {"K", 1, 3}, {"M", 1, 6}, {"G", 1, 9}, {"B", 1, 9}, {"T", 1, 12}}};
constexpr std::array<Suffix, 5> kByteSuffixes = {{{"KiB", uint64_t{1} << 10, 0},
                                                  {"MiB", uint64_t{1} << 20, 0},
                                                  {"GiB", uint64_t{1} << 30, 0},
                                                  {"TiB", uint64_t{1} << 40, 0},
                                                  {"B", 1, 0}}};
constexpr std::array<Suffix, 5> kSecondSuffixes = {
    {{"ms", 1, -3}, {"s", 1, 0}, {"m", 60, 0}, {"h", 3600, 0}, {"d", 86400, 0}}};

// digits * 10^exponent * factor; `digits` has no '_' and no point.
struct Decimal {
  bool negative = false;
  std::string digits;
  int exponent = 0;
  uint64_t factor = 1;
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes digits with single '_' between them off the front of `*text`, and adds them to `*digits`.
bool TakeDigits(absl::string_view* text, std::string* digits) {
  size_t at = 0;
  while (at < text->size()) {
    const bool separator = (*text)[at] == '_' && at > 0 && IsDigit((*text)[at - 1]) &&
                           at + 1 < text->size() && IsDigit((*text)[at + 1]);
    if (!IsDigit((*text)[at]) && !separator) break;
    if (!separator) digits->push_back((*text)[at]);
    ++at;
  }
  text->remove_prefix(at);
  return at > 0;
}

// Takes "e7", "E+7" or "e-7" off the front, if it is there and whole.
void TakeExponent(absl::string_view* text, int* exponent) {
  if (text->empty() || ((*text)[0] != 'e' && (*text)[0] != 'E')) return;
  size_t at = 1;
  if (at < text->size() && ((*text)[at] == '+' || (*text)[at] == '-')) ++at;
  const size_t first = at;
  int value = 0;
  while (at < text->size() && IsDigit((*text)[at]) && at < first + 5) {
    value = value * 10 + ((*text)[at++] - '0');
  }
  if (at == first) return;
  *exponent += (*text)[1] == '-' ? -value : value;
  text->remove_prefix(at);
}

template <typename Suffixes>
bool TakeSuffix(absl::string_view rest, const Suffixes& suffixes, Decimal* decimal) {
  if (rest.empty()) return true;
  for (const Suffix& suffix : suffixes) {
    if (rest != suffix.text) continue;
    decimal->factor = suffix.factor;
    decimal->exponent += suffix.decimal_exponent;
    return true;
  }
  return false;
}

bool TakeUnit(absl::string_view rest, NumberUnit unit, Decimal* decimal) {
  switch (unit) {
    case NumberUnit::kNone: return rest.empty();
    case NumberUnit::kTokens: return TakeSuffix(rest, kTokenSuffixes, decimal);
    case NumberUnit::kBytes: return TakeSuffix(rest, kByteSuffixes, decimal);
    case NumberUnit::kSeconds: return TakeSuffix(rest, kSecondSuffixes, decimal);
  }
  return false;
}

absl::string_view FormOf(NumberUnit unit) {
  switch (unit) {
    case NumberUnit::kNone: return "a number such as 12, 1_000 or 2e7";
    case NumberUnit::kTokens:
      return "a token count such as 20M, 2e7 or 20_000_000 (suffixes k, M, G or B, T are powers of "
             "1000)";
    case NumberUnit::kBytes:
      return "a size such as 4096, 64KiB, 4MiB or 1GiB (suffixes are powers of 1024)";
    case NumberUnit::kSeconds: return "a duration such as 30, 500ms, 30s, 10m or 1h";
  }
  return "";
}

absl::StatusOr<Decimal> ParseDecimal(absl::string_view text, NumberUnit unit) {
  const auto malformed = [&] {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is not ", FormOf(unit)));
  };
  if (text.size() > kMaxNumberBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(text), " is too long for a number: at most 64 characters"));
  }
  Decimal decimal;
  absl::string_view rest = text;
  if (!rest.empty() && rest[0] == '-') {
    decimal.negative = true;
    rest.remove_prefix(1);
  }
  const bool whole = TakeDigits(&rest, &decimal.digits);
  if (whole && decimal.digits.size() > 1 && decimal.digits[0] == '0') return malformed();
  if (!rest.empty() && rest[0] == '.') {
    rest.remove_prefix(1);
    const size_t before = decimal.digits.size();
    if (!TakeDigits(&rest, &decimal.digits)) return malformed();
    decimal.exponent -= static_cast<int>(decimal.digits.size() - before);
  } else if (!whole) {
    return malformed();
  }
  TakeExponent(&rest, &decimal.exponent);
  if (!TakeUnit(rest, unit, &decimal)) return malformed();
  return decimal;
}

// The magnitude of `decimal`, which must be whole and at most `limit`.
absl::StatusOr<uint64_t> Whole(absl::string_view text, Decimal decimal, uint64_t limit) {
  while (decimal.digits.size() > 1 && decimal.digits.back() == '0') {
    decimal.digits.pop_back();
    ++decimal.exponent;
  }
  using Wide = unsigned __int128;
  constexpr Wide kWidest = ~Wide{0};
  const auto too_large = [&] {
    return absl::OutOfRangeError(
        absl::StrCat(Quoted(text), " is out of range: at most ", limit, " fits"));
  };
  Wide value = 0;
  for (const char digit : decimal.digits) {
    const auto next = static_cast<Wide>(digit - '0');
    if (value > (kWidest - next) / 10) return too_large();
    value = value * 10 + next;
  }
  if (value == 0) return uint64_t{0};
  if (value > kWidest / decimal.factor) return too_large();
  value *= decimal.factor;
  for (; decimal.exponent > 0; --decimal.exponent) {
    if (value > limit) return too_large();
    value *= 10;
  }
  for (; decimal.exponent < 0; ++decimal.exponent) {
    if (value % 10 != 0) {
      return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is not a whole number"));
    }
    value /= 10;
  }
  if (value > limit) return too_large();
  return static_cast<uint64_t>(value);
}

}  // namespace

absl::StatusOr<uint64_t> ParseUnsigned(absl::string_view text, NumberUnit unit) {
  DDL_ASSIGN_OR_RETURN(const Decimal decimal, ParseDecimal(text, unit));
  DDL_ASSIGN_OR_RETURN(const uint64_t value,
                       Whole(text, decimal, std::numeric_limits<uint64_t>::max()));
  if (decimal.negative && value != 0) {
    return absl::OutOfRangeError(absl::StrCat(Quoted(text), " must not be negative"));
  }
  return value;
}

absl::StatusOr<int64_t> ParseSigned(absl::string_view text, NumberUnit unit) {
  DDL_ASSIGN_OR_RETURN(const Decimal decimal, ParseDecimal(text, unit));
  DDL_ASSIGN_OR_RETURN(
      const uint64_t value,
      Whole(text, decimal, static_cast<uint64_t>(std::numeric_limits<int64_t>::max())));
  const auto magnitude = static_cast<int64_t>(value);
  return decimal.negative ? -magnitude : magnitude;
}

absl::StatusOr<double> ParseReal(absl::string_view text, NumberUnit unit) {
  DDL_ASSIGN_OR_RETURN(const Decimal decimal, ParseDecimal(text, unit));
  const std::string plain = absl::StrCat(decimal.digits, "e", decimal.exponent);
  double value = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  const double scaled = value * static_cast<double>(decimal.factor);
  if (error != std::errc() || !std::isfinite(scaled)) {
    return absl::OutOfRangeError(
        absl::StrCat(Quoted(text), " is out of range for a 64-bit floating-point number"));
  }
  DDL_CHECK(end == plain.data() + plain.size());
  return decimal.negative ? -scaled : scaled;
}

std::string FormatReal(double value) {
  DDL_CHECK(std::isfinite(value));
  std::array<char, 64> buffer;
  // Without an exponent where people would write none.
  const double magnitude = std::abs(value);
  const bool fixed = value == 0 || (magnitude >= 1e-4 && magnitude < 1e15);
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                    fixed ? std::chars_format::fixed : std::chars_format::scientific);
  DDL_CHECK(error == std::errc());
  return {buffer.data(), end};
}

}  // namespace ddl
