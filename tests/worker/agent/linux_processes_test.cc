#include "worker/agent/linux_processes.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "worker/agent/adoption.h"

namespace ddl::agent {
namespace {

// A child that sleeps; killed and reaped with the test.
class Sleeper {
 public:
  Sleeper() : pid_(fork()) {
    if (pid_ == 0) {
      execlp("sleep", "sleep", "60", nullptr);
      _exit(1);
    }
  }
  ~Sleeper() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  int32_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

std::optional<ProcessEnd> AwaitEnd(LinuxProcesses* processes, const ProcessIdentity& process) {
  const absl::Time limit = absl::Now() + absl::Seconds(10);
  std::optional<ProcessEnd> end;
  while (!end && absl::Now() < limit) end = processes->Ended(process);
  return end;
}

}  // namespace

TEST_CASE("A live process is found by pid and start time, and its end is seen once it is killed") {
  LinuxProcesses processes;
  const Sleeper sleeper;
  const std::optional<uint64_t> start = processes.StartTicks(sleeper.pid());
  REQUIRE(start);
  const ProcessIdentity process{sleeper.pid(), *start, processes.BootId()};
  CHECK(IsAlive(process, &processes));
  CHECK_FALSE(processes.Ended(process));
  processes.Signal(process, StopSignal::kKill);
  const std::optional<ProcessEnd> end = AwaitEnd(&processes, process);
  REQUIRE(end);
  CHECK(end->signal == SIGKILL);
  CHECK_FALSE(IsAlive(process, &processes));
}

TEST_CASE("A process with another start time is never signalled") {
  LinuxProcesses processes;
  const Sleeper sleeper;
  const uint64_t start = *processes.StartTicks(sleeper.pid());
  for (const ProcessIdentity& other :
       {ProcessIdentity{sleeper.pid(), start + 1, processes.BootId()},
        ProcessIdentity{sleeper.pid(), start - 1, processes.BootId()},
        ProcessIdentity{sleeper.pid(), start, "another boot"}}) {
    CHECK_FALSE(IsAlive(other, &processes));
    CHECK(processes.Ended(other));
    processes.Signal(other, StopSignal::kKill);
  }
  CHECK(kill(sleeper.pid(), 0) == 0);
  CHECK(waitpid(sleeper.pid(), nullptr, WNOHANG) == 0);
}

TEST_CASE("A process that has ended but was not reaped counts as gone") {
  LinuxProcesses processes;
  const pid_t pid = fork();
  if (pid == 0) _exit(7);
  siginfo_t info{};
  REQUIRE(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
  CHECK_FALSE(processes.StartTicks(pid));
  REQUIRE(waitpid(pid, nullptr, 0) == pid);
}

TEST_CASE("The start time is read behind a process name with spaces and parentheses") {
  const std::optional<ProcessStat> stat = ParseProcessStat(
      "12 (a) b (c) S 1 12 12 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 98765 1000 200 184467");
  REQUIRE(stat);
  CHECK(stat->state == 'S');
  CHECK(stat->start_ticks == 98765);
  CHECK_FALSE(ParseProcessStat("12 (a) S 1 2"));
  CHECK_FALSE(ParseProcessStat(""));
}

}  // namespace ddl::agent
