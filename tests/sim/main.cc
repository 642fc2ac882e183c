// ddl-sim: the production core and agent under simulated faults. One seed, one trace.
//
//   ddl-sim --seed S --schedules N [--require-coverage]
//
// Prints `fault NAME COUNT` and `transition NAME COUNT` for every name, then `trace <64 hex>`.
// Exits 1 for a broken invariant (seed and event are named), with --require-coverage also for a
// fault or transition that never happened and when no cluster was large, 64 for a wrong command
// line.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "coordinator/core/lifecycle.h"
#include "tests/sim/schedule.h"
#include "tests/sim/unreachable.h"
#include "tests/sim/world.h"

namespace ddl::sim {
namespace {

struct Options {
  uint64_t seed = 1;
  uint64_t schedules = 1;
  bool require_coverage = false;
};

bool ReadOptions(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--require-coverage") {
      options->require_coverage = true;
      continue;
    }
    uint64_t* value = flag == "--seed"        ? &options->seed
                      : flag == "--schedules" ? &options->schedules
                                              : nullptr;
    if (value == nullptr || ++i == argc || !absl::SimpleAtoi(argv[i], value)) return false;
  }
  return options->schedules > 0;
}

// A broken DDL_CHECK aborts: say in which schedule. Only write(2) may be called here.
void WriteNumber(uint64_t number) {
  char digits[20];
  size_t first = sizeof digits;
  do {
    digits[--first] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  if (write(STDERR_FILENO, digits + first, sizeof digits - first) < 0) _exit(2);
}

void OnAbort(int /*signal*/) {
  constexpr char kSeed[] = "broken at seed ";
  constexpr char kEvent[] = " event ";
  constexpr char kEnd[] = ": aborted\n";
  if (write(STDERR_FILENO, kSeed, sizeof kSeed - 1) < 0) _exit(2);
  WriteNumber(CurrentProgress().seed);
  if (write(STDERR_FILENO, kEvent, sizeof kEvent - 1) < 0) _exit(2);
  WriteNumber(CurrentProgress().event);
  if (write(STDERR_FILENO, kEnd, sizeof kEnd - 1) < 0) _exit(2);
  _exit(1);
}

struct Totals {
  std::map<int, uint64_t> faults;
  std::map<coordinator::Transition, uint64_t> transitions;
  uint64_t most_workers = 0;
  Sha256 trace;
};

bool RunAll(const Options& options, Totals* totals) {
  for (uint64_t i = 0; i < options.schedules; ++i) {
    const Outcome outcome = RunSchedule(options.seed + i);
    if (!outcome.broken.empty()) {
      const std::string message = absl::StrCat("broken at seed ", options.seed + i, " event ",
                                               outcome.events, ": ", outcome.broken, "\n");
      std::fputs(message.c_str(), stderr);
      return false;
    }
    for (const auto& [fault, count] : outcome.faults) totals->faults[fault] += count;
    for (const auto& [arrow, count] : outcome.transitions) totals->transitions[arrow] += count;
    totals->most_workers = std::max(totals->most_workers, outcome.workers);
    totals->trace.Update(outcome.trace);
  }
  return true;
}

// False when something that could have happened never did.
bool PrintCoverage(Totals* totals) {
  bool covered = totals->most_workers >= kFewestOfLarge;
  for (int i = 0; i < static_cast<int>(Fault::kCount); ++i) {
    const uint64_t count = totals->faults[i];
    covered = covered && count > 0;
    std::printf("fault %s %llu\n", Name(static_cast<Fault>(i)).c_str(),
                static_cast<unsigned long long>(count));
  }
  for (const coordinator::Transition& arrow : coordinator::AllTransitions()) {
    const uint64_t count = totals->transitions[arrow];
    const std::string name = coordinator::Name(arrow);
    covered = covered && (count > 0 || !WhyUnreachable(name).empty());
    std::printf("transition %s %llu\n", name.c_str(), static_cast<unsigned long long>(count));
  }
  return covered;
}

int Main(int argc, char** argv) {
  Options options;
  if (!ReadOptions(argc, argv, &options)) {
    std::fprintf(stderr, "usage: ddl-sim --seed S --schedules N [--require-coverage]\n");
    return 64;
  }
  std::signal(SIGABRT, OnAbort);
  Totals totals;
  if (!RunAll(options, &totals)) return 1;
  const bool covered = PrintCoverage(&totals);
  std::printf("trace %s\n", totals.trace.FinishHex().c_str());
  if (covered || !options.require_coverage) return 0;
  std::fprintf(stderr,
               "some fault, transition or large cluster never appeared in %llu schedules "
               "(most workers: %llu)\n",
               static_cast<unsigned long long>(options.schedules),
               static_cast<unsigned long long>(totals.most_workers));
  return 1;
}

}  // namespace
}  // namespace ddl::sim

int main(int argc, char** argv) { return ddl::sim::Main(argc, argv); }
