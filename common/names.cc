#include "common/names.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/check.h"

namespace ddl {
namespace {

constexpr size_t kMaxNameBytes = 63;
constexpr size_t kMaxTextBytes = 256;
constexpr size_t kMaxPathBytes = 4096;

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// Decodes one code point at `*at` and moves past it; -1 for what is not UTF-8 (overlong forms and
// surrogates included).
int32_t DecodeUtf8(absl::string_view text, size_t* at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(*at);
  const int extra = lead < 0x80       ? 0
                    : lead >> 5 == 6  ? 1
                    : lead >> 4 == 14 ? 2
                    : lead >> 3 == 30 ? 3
                                      : -1;
  if (extra < 0 || *at + static_cast<size_t>(extra) >= text.size()) return -1;
  constexpr int32_t kLeadMask[] = {0x7F, 0x1F, 0x0F, 0x07};
  constexpr int32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
  int32_t point = static_cast<int32_t>(lead) & kLeadMask[extra];
  for (int i = 1; i <= extra; ++i) {
    const unsigned next = byte(*at + static_cast<size_t>(i));
    if (next >> 6 != 2) return -1;
    point = point << 6 | static_cast<int32_t>(next & 0x3F);
  }
  *at += static_cast<size_t>(extra) + 1;
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  return point < kSmallest[extra] || point > 0x10FFFF || surrogate ? -1 : point;
}

bool IsControl(int32_t point) { return point < 0x20 || (point >= 0x7F && point < 0xA0); }

bool IsBidirectional(int32_t point) {
  return point == 0x061C || point == 0x200E || point == 0x200F ||
         (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

void FillRandom(void* out, size_t bytes) {
  ssize_t got = -1;
  do {
    got = getrandom(out, bytes, 0);
  } while (got < 0 && errno == EINTR);
  DDL_CHECK(got == static_cast<ssize_t>(bytes));  // Whole for up to 256 bytes.
}

}  // namespace

absl::Status CheckName(absl::string_view value) {
  const bool starts = !value.empty() && IsLowerOrDigit(value[0]);
  const bool goes_on = std::all_of(value.begin(), value.end(), [](char c) {
    return IsLowerOrDigit(c) || c == '.' || c == '_' || c == '-';
  });
  if (starts && goes_on && value.size() <= kMaxNameBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      Quoted(value), " is not a name: 1 to 63 of a-z 0-9 . _ - beginning with a letter or digit"));
}

absl::Status CheckText(absl::string_view value) {
  if (value.size() > kMaxTextBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("text must be at most 256 bytes, got ", value.size()));
  }
  for (size_t at = 0; at < value.size();) {
    const size_t start = at;
    const int32_t point = DecodeUtf8(value, &at);
    if (point < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(value), " is not valid UTF-8 at byte ", start));
    }
    if (IsControl(point) || IsBidirectional(point)) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(value), " has a control or bidirectional character at byte ", start));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPath(absl::string_view value) {
  if (value.empty()) return absl::InvalidArgumentError("a path must not be empty");
  if (value.size() > kMaxPathBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a path must be at most 4096 bytes, got ", value.size()));
  }
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return absl::InvalidArgumentError(absl::StrCat(Quoted(value), " has a control character"));
    }
  }
  for (const absl::string_view part : absl::StrSplit(value, '/')) {
    if (part == "..") {
      return absl::InvalidArgumentError(absl::StrCat(Quoted(value), " must not contain \"..\""));
    }
  }
  return absl::OkStatus();
}

std::string IdFromBits(uint64_t bits) {
  std::string id(kIdLength, '0');
  for (char& c : id) {
    c = kIdAlphabet[bits & 31];
    bits >>= 5;
  }
  return id;
}

bool IsIdPrefix(absl::string_view value) {
  return !value.empty() && value.size() <= kIdLength &&
         value.find_first_not_of(kIdAlphabet) == absl::string_view::npos;
}

bool IsId(absl::string_view value) { return value.size() == kIdLength && IsIdPrefix(value); }

uint64_t RandomBits() {
  uint64_t bits = 0;
  FillRandom(&bits, sizeof bits);
  return bits;
}

std::string RandomToken() {
  std::string bytes(16, '\0');
  FillRandom(bytes.data(), bytes.size());
  return absl::BytesToHexString(bytes);
}

size_t FirstNonUtf8(absl::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    if (DecodeUtf8(text, &at) < 0) return start;
  }
  return absl::string_view::npos;
}

std::string Quoted(absl::string_view value) {
  constexpr size_t kShownBytes = 64;
  std::string quoted = "\"";
  size_t at = 0;
  while (at < value.size()) {
    size_t end = at;
    const int32_t point = DecodeUtf8(value, &end);
    const bool plain = point >= 0 && !IsControl(point) && !IsBidirectional(point);
    if (!plain) end = at + 1;  // Byte by byte.
    if (end > kShownBytes) break;
    const absl::string_view piece = value.substr(at, end - at);
    if (point == '"' || point == '\\' || point == '\n' || point == '\r' || point == '\t') {
      absl::StrAppend(&quoted, absl::CEscape(piece));
    } else if (plain) {
      absl::StrAppend(&quoted, piece);
    } else {
      absl::StrAppend(&quoted, "\\x", absl::BytesToHexString(piece));
    }
    at = end;
  }
  return absl::StrCat(quoted, at < value.size() ? "\"..." : "\"");
}

int EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace ddl
