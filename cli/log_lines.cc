#include "cli/log_lines.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/terminal_text.h"
#include "common/names.h"

namespace ddl::cli {
namespace {

// What a line of our programs begins with, as text or as JSON.
struct Head {
  std::optional<absl::Time> time;
  std::string severity;
};

std::optional<absl::Time> TimeIn(absl::string_view text) {
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) return std::nullopt;
  return time;
}

bool IsSeverity(absl::string_view word) {
  return word == "info" || word == "warning" || word == "error";
}

std::string StringIn(const nlohmann::json& tree, const char* key) {
  const auto found = tree.find(key);
  return found != tree.end() && found->is_string() ? found->get<std::string>() : "";
}

Head HeadOf(const std::string& line) {
  Head head;
  if (!line.empty() && line[0] == '{') {
    const auto tree = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!tree.is_object()) return head;
    head.time = TimeIn(StringIn(tree, "ts"));
    head.severity = StringIn(tree, "level");
  } else {
    const std::vector<absl::string_view> words =
        absl::StrSplit(absl::string_view(line).substr(0, 64), ' ', absl::SkipEmpty());
    if (words.size() < 2) return head;
    head.time = TimeIn(words[0]);
    head.severity = head.time ? std::string(words[1]) : "";
  }
  if (!IsSeverity(head.severity)) head.severity.clear();
  return head;
}

}  // namespace

LogEntry LogLines::Line(std::string text, uint32_t rank, Tail* tail) const {
  const Head head = HeadOf(text);
  // A clock that was set back must not tear a log apart.
  if (head.time) tail->time = tail->time ? std::max(*tail->time, *head.time) : head.time;
  return {tail->time, tail->attempt, rank, head.severity, std::move(text)};
}

std::vector<LogEntry> LogLines::Add(const v1::LogChunk& chunk) {
  Tail& tail = tails_[{chunk.epoch(), chunk.rank()}];
  tail.attempt = chunk.attempt();
  absl::StrAppend(&tail.text, chunk.data());
  std::vector<LogEntry> lines;
  size_t begin = 0;
  for (size_t end = tail.text.find('\n'); end != std::string::npos;
       end = tail.text.find('\n', begin)) {
    if (end > begin)
      lines.push_back(Line(tail.text.substr(begin, end - begin), chunk.rank(), &tail));
    begin = end + 1;
  }
  tail.text.erase(0, begin);
  return lines;
}

std::vector<LogEntry> LogLines::TakeRest() {
  std::vector<LogEntry> lines;
  for (auto& [key, tail] : tails_) {
    if (tail.text.empty()) continue;
    std::string text = std::move(tail.text);
    tail.text.clear();
    lines.push_back(Line(std::move(text), key.second, &tail));
  }
  return lines;
}

absl::StatusOr<LogFilter> LogFilter::Make(const std::string& pattern, absl::Time since) {
  LogFilter filter;
  filter.since_ = since;
  if (pattern.empty()) return filter;
  RE2::Options options;
  options.set_log_errors(false);
  filter.pattern_ = std::make_shared<const RE2>(pattern, options);
  if (!filter.pattern_->ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--grep is a regular expression (RE2), got ",
                                                   Quoted(pattern), ": ",
                                                   filter.pattern_->error()));
  }
  return filter;
}

bool LogFilter::Keeps(const LogEntry& entry) const {
  if (entry.time && *entry.time < since_) return false;
  return pattern_ == nullptr || RE2::PartialMatch(entry.message, *pattern_);
}

void SortByTime(std::vector<LogEntry>* entries) {
  std::stable_sort(entries->begin(), entries->end(), [](const LogEntry& a, const LogEntry& b) {
    return a.time.value_or(absl::InfiniteFuture()) < b.time.value_or(absl::InfiniteFuture());
  });
}

Json JsonOf(const LogEntry& entry) {
  return {{"time", entry.time ? Json(Rfc3339(*entry.time)) : Json(nullptr)},
          {"attempt", entry.attempt == 0 ? Json(nullptr) : Json(entry.attempt)},
          {"rank", entry.rank ? Json(*entry.rank) : Json(nullptr)},
          {"severity", entry.severity.empty() ? Json(nullptr) : Json(entry.severity)},
          {"message", entry.message}};
}

std::string TextOf(const LogEntry& entry, bool ranks) {
  const std::string message = TerminalText(entry.message, false);
  if (!entry.rank) {
    return absl::StrCat(entry.time ? Rfc3339(*entry.time) : "-", "  ", entry.severity, "  ",
                        message, "\n");
  }
  return absl::StrCat(ranks ? absl::StrCat("r", *entry.rank, " | ") : "", message, "\n");
}

}  // namespace ddl::cli
