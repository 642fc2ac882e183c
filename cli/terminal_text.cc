#include "cli/terminal_text.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ddl::cli {
namespace {

// Bytes of the UTF-8 character at the front of `text` and its code point; 0 bytes if it is none.
int FrontCharacter(absl::string_view text, uint32_t* point) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  const size_t length = lead < 0x80       ? 1
                        : lead >> 5 == 6  ? 2
                        : lead >> 4 == 14 ? 3
                        : lead >> 3 == 30 ? 4
                                          : 0;
  if (length == 0 || length > text.size()) return 0;
  *point = length == 1 ? lead : lead & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if (byte(i) >> 6 != 2) return 0;
    *point = *point << 6 | (byte(i) & 0x3Fu);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = *point >= 0xD800 && *point <= 0xDFFF;
  if (*point < kSmallest[length] || *point > 0x10FFFF || surrogate) return 0;
  return static_cast<int>(length);
}

bool IsUnsafe(uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x061C || point == 0x200E ||
         point == 0x200F || (point >= 0x2028 && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069) || point == 0xFEFF;
}

std::string Escaped(uint32_t point) {
  switch (point) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default:
      return point < 0x100 ? absl::StrFormat("\\x%02x", point) : absl::StrFormat("\\u%04x", point);
  }
}

}  // namespace

std::string TerminalText(absl::string_view text, bool keep_newlines) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    uint32_t point = 0;
    const int length = FrontCharacter(text, &point);
    if (length == 0) {
      absl::StrAppend(&safe, Escaped(static_cast<unsigned char>(text[0])));
      text.remove_prefix(1);
      continue;
    }
    if (IsUnsafe(point) && !(keep_newlines && point == '\n')) {
      absl::StrAppend(&safe, Escaped(point));
    } else {
      absl::StrAppend(&safe, text.substr(0, static_cast<size_t>(length)));
    }
    text.remove_prefix(static_cast<size_t>(length));
  }
  return safe;
}

int DisplayWidth(absl::string_view text) {
  int width = 0;
  for (const char c : text) width += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return width;
}

}  // namespace ddl::cli
