// What this host and this process use, from /proc.
#pragma once

#include <cstdint>
#include <string>

#include "proto/ddl/v1/workers.pb.h"

namespace ddl::agent {

// Busy and all jiffies since boot, of the line "cpu ..." that /proc/stat begins with.
struct CpuTicks {
  uint64_t busy = 0;
  uint64_t all = 0;
};
CpuTicks ParseCpuTicks(const std::string& stat);
// Value of "NAME:  1234 kB" in /proc/meminfo or /proc/PID/status, in bytes; 0 when it is missing.
uint64_t ParseKilobytes(const std::string& text, const std::string& name);

class HostUsage {
 public:
  // The processors' share is of the time since the last call.
  v1::HostUsage Read();

 private:
  CpuTicks last_;
};

uint64_t ResidentBytes();    // Of this process.
double ProcessCpuSeconds();  // Of this process, over all threads.
std::string CpuModel();      // As /proc/cpuinfo says; empty when it does not.

}  // namespace ddl::agent
