#include "worker/train/stop_signal.h"

#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <utility>

#include "common/check.h"

namespace ddl {
namespace {

std::atomic<bool> stop_signalled{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void OnSignal(int /*signal*/) { stop_signalled = true; }

}  // namespace

void CatchStopSignals() {
  struct sigaction action {};
  action.sa_handler = &OnSignal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  DDL_CHECK(sigaction(SIGTERM, &action, nullptr) == 0);
  DDL_CHECK(sigaction(SIGINT, &action, nullptr) == 0);
}

bool StopSignalled() { return stop_signalled; }

Lease::Lease(std::string file, absl::Duration time_to_live, absl::Time start)
    : file_(std::move(file)), time_to_live_(time_to_live), start_(start) {}

bool Lease::Expired(absl::Time now) const {
  if (file_.empty()) return false;
  struct stat status {};
  const absl::Time renewed =
      stat(file_.c_str(), &status) == 0 ? absl::TimeFromTimespec(status.st_mtim) : start_;
  return now - renewed > time_to_live_;
}

}  // namespace ddl
