#include "common/numbers.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace ddl {
namespace {

constexpr auto kTokens = NumberUnit::kTokens;
constexpr auto kBytes = NumberUnit::kBytes;
constexpr auto kSeconds = NumberUnit::kSeconds;

TEST_CASE("20M, 2e7 and 20_000_000 are the same token count") {
  for (const char* text : {"20M", "2e7", "2E+7", "20_000_000", "20000000", "20000k", "0.02G",
                           "0.02B", "200000.00e2"}) {
    INFO(text);
    CHECK(ParseUnsigned(text, kTokens).value() == 20'000'000);
  }
}

TEST_CASE("a fraction is a whole number when its suffix makes it one") {
  CHECK(ParseUnsigned("1.5M", kTokens).value() == 1'500'000);
  CHECK(ParseUnsigned("1.5KiB", kBytes).value() == 1536);
  CHECK(ParseUnsigned("1.0").value() == 1);
  CHECK(absl::IsInvalidArgument(ParseUnsigned("1.5", kTokens).status()));
  CHECK(absl::IsInvalidArgument(ParseUnsigned("1.0005k", kTokens).status()));
  CHECK(absl::IsInvalidArgument(ParseUnsigned("1e-1").status()));
}

TEST_CASE("sizes are powers of 1024 and durations have their units") {
  CHECK(ParseUnsigned("64KiB", kBytes).value() == 65536);
  CHECK(ParseUnsigned("1GiB", kBytes).value() == uint64_t{1} << 30);
  CHECK(ParseReal("500ms", kSeconds).value() == 0.5);
  CHECK(ParseReal("30s", kSeconds).value() == 30);
  CHECK(ParseReal("10m", kSeconds).value() == 600);
  CHECK(ParseReal("1h", kSeconds).value() == 3600);
  CHECK(ParseReal("0.1", kSeconds).value() == 0.1);
}

TEST_CASE("what is no number is refused with its value and the rule") {
  for (const char* text : {"",     "-",  "M",  "20Mb",  "20MB", "20m",  "20 M", " 20M",  "20M ",
                           "1__0", "_1", "1_", "1_.0",  "1._0", "0x10", "010",  "1e",    "1e+",
                           "1.",   ".",  "+1", "1,000", "NaN",  "inf",  ".inf", "1e5e5", "--1"}) {
    const auto number = ParseUnsigned(text, kTokens);
    INFO(text);
    REQUIRE(absl::IsInvalidArgument(number.status()));
    CHECK(absl::StrContains(number.status().message(), absl::StrCat("\"", text, "\"")));
  }
  CHECK(absl::StrContains(ParseUnsigned("20Mb", kTokens).status().message(),
                          "suffixes k, M, G or B, T are powers of 1000"));
  CHECK(absl::IsInvalidArgument(ParseUnsigned("20M").status()));
  CHECK(absl::IsInvalidArgument(ParseUnsigned(std::string(65, '1')).status()));
  CHECK(absl::IsInvalidArgument(ParseUnsigned(std::string("1\0", 2)).status()));
}

TEST_CASE("whole numbers are exact to the ends of their types and no further") {
  CHECK(ParseUnsigned("18446744073709551615").value() == std::numeric_limits<uint64_t>::max());
  CHECK(absl::IsOutOfRange(ParseUnsigned("18446744073709551616").status()));
  CHECK(absl::IsOutOfRange(ParseUnsigned("18446745T", kTokens).status()));
  CHECK(absl::IsOutOfRange(ParseUnsigned("1e30").status()));
  CHECK(absl::IsOutOfRange(ParseUnsigned("1e99999").status()));
  CHECK(absl::IsOutOfRange(ParseUnsigned("-1").status()));
  CHECK(ParseUnsigned("9007199254740993").value() == 9007199254740993);  // 2^53 + 1.
  CHECK(ParseUnsigned("9007199254740.993k", kTokens).value() == 9007199254740993);
  CHECK(ParseSigned("-50").value() == -50);
  CHECK(ParseSigned("9223372036854775807").value() == std::numeric_limits<int64_t>::max());
  CHECK(absl::IsOutOfRange(ParseSigned("9223372036854775808").status()));
  CHECK(ParseUnsigned("0e9").value() == 0);
  CHECK(ParseUnsigned("0.000").value() == 0);
}

TEST_CASE("reals are the nearest double, as the C library reads them") {
  for (const char* text : {"0.1", "3e-3", "1e-5", "0.3", "1.7976931348623157e308", "5e-324",
                           "123456789.123456789", "-2.5", ".5"}) {
    INFO(text);
    CHECK(ParseReal(text).value() == std::strtod(text, nullptr));
  }
  CHECK(absl::IsOutOfRange(ParseReal("1e309").status()));
  CHECK(absl::IsOutOfRange(ParseReal("1e-400").status()));
  CHECK(ParseReal("1_000.5").value() == 1000.5);
}

TEST_CASE("reals are written as people would") {
  CHECK(FormatReal(2e7) == "20000000");
  CHECK(FormatReal(0.0001) == "0.0001");
  CHECK(FormatReal(1e-5) == "1e-05");
  CHECK(FormatReal(0.1 + 0.2) == "0.30000000000000004");
  CHECK(FormatReal(1e300) == "1e+300");
  CHECK(FormatReal(0) == "0");
}

TEST_CASE("a random double is written so that it reads back to the same bits") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20000; ++i) {
    const uint64_t bits = random();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const std::string text = FormatReal(value);
    INFO(text);
    REQUIRE(ParseReal(text).value() == value);
    REQUIRE(std::strtod(text.c_str(), nullptr) == value);
  }
}

TEST_CASE("a random whole number is read back in every way of writing it") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 5000; ++i) {
    const uint64_t value = random() >> (random() % 64);
    std::string digits = std::to_string(value);
    REQUIRE(ParseUnsigned(digits).value() == value);
    std::string grouped = digits;
    for (int at = static_cast<int>(grouped.size()) - 3; at > 0; at -= 3) {
      grouped.insert(static_cast<size_t>(at), "_");
    }
    REQUIRE(ParseUnsigned(grouped).value() == value);
    const size_t shift = random() % 18 + 1;
    std::string padded = digits.size() > shift ? digits : std::string(shift, '0') + digits;
    padded.insert(padded.size() - shift, ".");
    while (padded[0] == '0' && padded[1] != '.') padded.erase(0, 1);
    INFO(padded);
    REQUIRE(ParseUnsigned(absl::StrCat(padded, "e", shift)).value() == value);
  }
}

}  // namespace
}  // namespace ddl
