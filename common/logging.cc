#include "common/logging.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/names.h"

namespace ddl {
namespace {

struct Settings {
  LogFormat format = LogFormat::kText;
  std::string component = "ddl";
  std::vector<LogField> common;
};

Settings& GlobalSettings() {
  static auto* const settings = new Settings;  // Never freed: threads may log during exit.
  return *settings;
}

absl::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "error";
}

std::string Timestamp(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

std::string OneLine(absl::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      absl::StrAppend(&escaped, c == '\n' ? "\\n" : absl::StrFormat("\\x%02x", byte));
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

std::string TextLine(const LogRecord& record) {
  std::string line = absl::StrFormat("%s %-7s %s", Timestamp(record.time), LevelName(record.level),
                                     OneLine(record.component));
  for (const LogField& field : record.fields) {
    absl::StrAppend(&line, " ", OneLine(field.name), "=", OneLine(field.value));
  }
  return absl::StrCat(line, ": ", OneLine(record.message));
}

std::string JsonLine(const LogRecord& record) {
  nlohmann::ordered_json line;
  line["ts"] = Timestamp(record.time);
  line["level"] = std::string(LevelName(record.level));
  line["component"] = record.component;
  for (const LogField& field : record.fields) line[field.name] = field.value;
  line["message"] = record.message;
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

absl::StatusOr<LogFormat> ParseLogFormat(absl::string_view name) {
  if (name == "text") return LogFormat::kText;
  if (name == "json") return LogFormat::kJson;
  return absl::InvalidArgumentError(
      absl::StrCat("log format must be text or json, got ", Quoted(name)));
}

void InitLogging(LogFormat format, absl::string_view component, std::vector<LogField> common) {
  GlobalSettings() = {format, std::string(component), std::move(common)};
}

std::string FormatLogLine(LogFormat format, const LogRecord& record) {
  return format == LogFormat::kJson ? JsonLine(record) : TextLine(record);
}

LogLine::LogLine(LogLevel level, std::initializer_list<LogField> fields)
    : record_{absl::Now(), level, GlobalSettings().component, fields, ""} {
  for (const LogField& common : GlobalSettings().common) {
    const bool own = std::any_of(fields.begin(), fields.end(),
                                 [&](const LogField& field) { return field.name == common.name; });
    if (!own) record_.fields.push_back(common);
  }
}

LogLine::~LogLine() {
  const std::string line = FormatLogLine(GlobalSettings().format, record_) + "\n";
  ssize_t put = -1;
  do {
    put = write(STDERR_FILENO, line.data(), line.size());
  } while (put < 0 && errno == EINTR);  // A stderr that is gone must not end the program.
}

}  // namespace ddl
