// How people read values and tables: the texts of output.h.
#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/output.h"
#include "cli/terminal_text.h"

namespace ddl::cli {
std::string TableText(const std::vector<std::vector<Cell>>& rows, const std::vector<bool>& right,
                      bool color) {
  std::vector<int> widths(right.size(), 0);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(TerminalText(row[i].text, false)));
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      const std::string cell = TerminalText(row[i].text, false);
      const std::string padding(static_cast<size_t>(widths[i] - DisplayWidth(cell)), ' ');
      const bool colored = color && row[i].color != 0;
      absl::StrAppend(&line, i == 0 ? "" : "  ", right[i] ? padding : "",
                      colored ? absl::StrCat("\x1b[", row[i].color, "m", cell, "\x1b[0m") : cell,
                      right[i] ? "" : padding);
    }
    absl::StripTrailingAsciiWhitespace(&line);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

std::string CountText(double count) {
  if (!std::isfinite(count)) return "-";
  constexpr std::pair<double, const char*> kSteps[] = {
      {1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
  for (const auto& [size, unit] : kSteps) {
    if (std::abs(count) >= size * 0.99995) {
      const double scaled = count / size;
      const int decimals = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
      return absl::StrFormat("%.*f%s", decimals, scaled, unit);
    }
  }
  return absl::StrFormat("%.4g", count);
}

std::string LossText(double loss) {
  return std::isfinite(loss) ? absl::StrFormat("%.4f", loss) : "-";
}

std::string SecondsText(double seconds) {
  if (!std::isfinite(seconds)) return "-";
  if (seconds < 10) return absl::StrFormat("%.1fs", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) return absl::StrCat(whole, "s");
  if (whole < 3600) return absl::StrFormat("%dm%02ds", whole / 60, whole % 60);
  return absl::StrFormat("%dh%02dm", whole / 3600, whole / 60 % 60);
}

std::string BytesText(double bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.*f %s", unit == 0 ? 0 : 1, bytes, kUnits[unit]);
}

std::string LocalTime(const google::protobuf::Timestamp& time, absl::TimeZone zone) {
  if (time.seconds() == 0 && time.nanos() == 0) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", TimeOf(time), zone);
}

int ColorOfState(absl::string_view state) {
  if (state == "succeeded" || state == "completed" || state == "ready") return 32;
  if (state == "failed" || state == "lost") return 31;
  if (state == "running") return 36;
  return state == "canceled" || state == "stopped_early" ? 90 : 33;
}

}  // namespace ddl::cli
