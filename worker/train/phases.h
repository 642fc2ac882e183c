// Where the time of a step goes, by the phases of common/series.h. On a GPU, forward and backward
// are the time to enqueue them; the device's own work shows where the step first waits for it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include "common/series.h"

namespace ddl {

// In the order of series::kPhases.
enum class Phase { kData, kForward, kBackward, kAllreduce, kOptimizer, kEval, kCheckpoint, kStall };

class PhaseTimes {
 public:
  void Add(Phase phase, double seconds) { seconds_[static_cast<size_t>(phase)] += seconds; }
  double operator[](Phase phase) const { return seconds_[static_cast<size_t>(phase)]; }
  const std::array<double, series::kPhases.size()>& all() const { return seconds_; }

 private:
  std::array<double, series::kPhases.size()> seconds_{};
};

class Stopwatch {
 public:
  // Seconds since the last Lap, or since the start.
  double Passed() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - last_).count();
  }
  // As Passed; the next lap begins.
  double Lap() {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> passed = now - last_;
    last_ = now;
    return passed.count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace ddl
