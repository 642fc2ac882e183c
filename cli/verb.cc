#include "cli/verb.h"

#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/names.h"

namespace ddl::cli {
namespace {

constexpr std::array<std::pair<absl::string_view, Format>, 7> kFormats = {{
    {"table", Format::kTable},
    {"wide", Format::kWide},
    {"json", Format::kJson},
    {"jsonl", Format::kJsonLines},
    {"yaml", Format::kYaml},
    {"csv", Format::kCsv},
    {"name", Format::kName},
}};

std::vector<std::string> FormatWords() {
  std::vector<std::string> words;
  for (const auto& [word, format] : kFormats) words.emplace_back(word);
  return words;
}

}  // namespace

absl::StatusOr<Format> ParseFormat(absl::string_view word) {
  for (const auto& [name, format] : kFormats) {
    if (name == word) return format;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "output must be table, wide, json, jsonl, yaml, csv or name, got ", Quoted(word)));
}

const std::vector<Flag>& GlobalFlags() {
  static const auto* const kFlags = new std::vector<Flag>{
      {"output", 'o', "FORMAT", "Output format (DDL_OUTPUT); default table", FormatWords()},
      {"addr", 0, "HOST:PORT", "Coordinator (DDL_ADDR); default 127.0.0.1:7070"},
      {"context", 0, "NAME", "A coordinator that `ddl context` knows (DDL_CONTEXT)"},
      {"token-file", 0, "FILE", "File that holds the access token (DDL_TOKEN_FILE)"},
      {"tls-ca", 0, "FILE", "Certificates to trust (DDL_TLS_CA); turns TLS on"},
      {"timeout", 0, "TIME", "Limit of the command: 30s, 10m, 1h; exit code 124 when it is over"},
      {"yes", 'y', "", "Answer yes to questions"},
      {"no-input", 0, "", "Ask nothing: what would be a question is an error"},
      {"no-color", 0, "", "No colours (NO_COLOR)"},
      {"no-pager", 0, "", "No pager for what is longer than the terminal (DDL_PAGER, PAGER)"},
      {"log-format", 0, "FORMAT", "Format of errors on stderr", {"text", "json"}},
      {"help", 'h', "", "Help of ddl or of a verb"},
  };
  return *kFlags;
}

std::string Arguments::Get(const std::string& flag, const std::string& fallback) const {
  const auto found = flags.find(flag);
  return found == flags.end() ? fallback : found->second;
}

std::vector<std::string> Arguments::All(const std::string& flag) const {
  std::vector<std::string> values;
  const auto [first, last] = flags.equal_range(flag);
  for (auto at = first; at != last; ++at) values.push_back(at->second);
  return values;
}

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  absl::Duration duration;
  double seconds = 0;
  if (absl::SimpleAtod(text, &seconds)) {
    duration = absl::Seconds(seconds);
  } else if (!absl::ParseDuration(text, &duration)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a time is written 500ms, 30s, 10m or 1h30m, got ", Quoted(text)));
  }
  if (duration <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a time must be above zero, got ", Quoted(text)));
  }
  return duration;
}

}  // namespace ddl::cli
