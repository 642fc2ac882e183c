// Log lines on stderr: one record, one line, one write(2), as text for people or as JSON for
// collectors. Every line has ts (UTC, RFC 3339), level, component and the message; fields such as
// run, attempt and trace_id follow in the order given.
//
//   DDL_LOG(Info, {"run", run_id}, {"attempt", epoch}) << "placed on " << worker;
//
// Thread-safe: threads' lines never mix. Nothing here sees protobuf, gRPC or LibTorch.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace ddl {

enum class LogFormat { kText, kJson };
enum class LogLevel { kInfo, kWarning, kError };

struct LogField {
  LogField(absl::string_view field_name, const absl::AlphaNum& field_value)
      : name(field_name), value(field_value.Piece()) {}
  std::string name;
  std::string value;
};

struct LogRecord {
  absl::Time time;
  LogLevel level = LogLevel::kInfo;
  std::string component;
  std::vector<LogField> fields;
  std::string message;
};

// "text" or "json"; kInvalidArgument otherwise.
absl::StatusOr<LogFormat> ParseLogFormat(absl::string_view name);

// At the start of main, before other threads. Without it lines are text with component "ddl". Every
// line also has the `common` fields, unless it gives one of that name itself.
void InitLogging(LogFormat format, absl::string_view component, std::vector<LogField> common = {});

// The line for a record, without its newline. Text: control characters are escaped, so that no
// message can forge a line or a terminal's colours; JSON: invalid UTF-8 becomes U+FFFD.
std::string FormatLogLine(LogFormat format, const LogRecord& record);

// Collects one record and writes it when it goes out of scope.
class LogLine {
 public:
  LogLine(LogLevel level, std::initializer_list<LogField> fields);
  ~LogLine();
  LogLine(const LogLine&) = delete;
  LogLine& operator=(const LogLine&) = delete;

  LogLine& operator<<(const absl::AlphaNum& piece) {
    absl::StrAppend(&record_.message, piece);
    return *this;
  }
  LogLine& operator<<(const absl::Status& status) { return *this << status.ToString(); }

 private:
  LogRecord record_;
};

}  // namespace ddl

#define DDL_LOG(level, ...) ::ddl::LogLine(::ddl::LogLevel::k##level, {__VA_ARGS__})
