#include "coordinator/core/liveness.h"

namespace ddl::coordinator {

void Liveness::Heard(const std::string& worker, absl::Duration uptime) { heard_[worker] = uptime; }

bool Liveness::IsFresh(const std::string& worker, absl::Duration uptime) const {
  const auto it = heard_.find(worker);
  return it != heard_.end() && uptime - it->second < settings_.suspect_after;
}

v1::WorkerState Liveness::Judge(const std::string& worker, v1::WorkerState state,
                                absl::Duration uptime) const {
  const auto it = heard_.find(worker);
  // Unheard since the start: it counts as heard so late that it is lost when the window ends.
  const absl::Duration last =
      it != heard_.end() ? it->second : started_ + settings_.adoption_window - settings_.lost_after;
  const absl::Duration silence = uptime - last;
  if (state == v1::WORKER_STATE_READY && silence >= settings_.suspect_after) {
    return v1::WORKER_STATE_SUSPECT;
  }
  if (state == v1::WORKER_STATE_SUSPECT && silence >= settings_.lost_after) {
    return v1::WORKER_STATE_LOST;
  }
  if (state == v1::WORKER_STATE_SUSPECT && it != heard_.end() &&
      silence < settings_.suspect_after) {
    return v1::WORKER_STATE_READY;
  }
  return state;
}

}  // namespace ddl::coordinator
