#include "worker/agent/host_usage.h"

#include <sys/resource.h>

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/files.h"

namespace ddl::agent {
namespace {

std::string Contents(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path);
  return text.ok() ? *std::move(text) : std::string();
}

}  // namespace

CpuTicks ParseCpuTicks(const std::string& stat) {
  const std::vector<std::string> fields =
      absl::StrSplit(stat.substr(0, stat.find('\n')), ' ', absl::SkipEmpty());
  CpuTicks ticks;
  constexpr size_t kIdle = 4;
  constexpr size_t kWaiting = 5;  // For input or output: not busy either.
  constexpr size_t kGuest = 9;    // From here on, counted already as user time.
  for (size_t i = 1; i < fields.size() && i < kGuest; ++i) {
    uint64_t count = 0;
    if (!absl::SimpleAtoi(fields[i], &count)) return {};
    ticks.all += count;
    if (i != kIdle && i != kWaiting) ticks.busy += count;
  }
  return ticks;
}

uint64_t ParseKilobytes(const std::string& text, const std::string& name) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, absl::StrCat(name, ":"))) continue;
    absl::ConsumeSuffix(&line, "kB");
    uint64_t kilobytes = 0;
    return absl::SimpleAtoi(line, &kilobytes) ? kilobytes * 1024 : 0;
  }
  return 0;
}

v1::HostUsage HostUsage::Read() {
  v1::HostUsage usage;
  const CpuTicks now = ParseCpuTicks(Contents("/proc/stat"));
  if (now.all > last_.all) {
    usage.set_cpu_ratio(static_cast<double>(now.busy - last_.busy) /
                        static_cast<double>(now.all - last_.all));
  }
  last_ = now;
  const std::string memory = Contents("/proc/meminfo");
  const uint64_t capacity = ParseKilobytes(memory, "MemTotal");
  usage.set_memory_capacity_bytes(capacity);
  usage.set_memory_used_bytes(capacity - ParseKilobytes(memory, "MemAvailable"));
  return usage;
}

uint64_t ResidentBytes() { return ParseKilobytes(Contents("/proc/self/status"), "VmRSS"); }

double ProcessCpuSeconds() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string CpuModel() {
  const std::string info = Contents("/proc/cpuinfo");
  for (const absl::string_view line : absl::StrSplit(info, '\n')) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (absl::StripAsciiWhitespace(field.first) == "model name") {
      return std::string(absl::StripAsciiWhitespace(field.second));
    }
  }
  return "";
}

}  // namespace ddl::agent
