// Waiting for what other processes and threads do.
#pragma once

#include <poll.h>

#include <functional>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace ddl::agent {

// Whether `condition` became true within `limit`.
inline bool Eventually(const std::function<bool()>& condition,
                       absl::Duration limit = absl::Seconds(60)) {
  const absl::Time end = absl::Now() + limit;
  while (absl::Now() < end) {
    if (condition()) return true;
    poll(nullptr, 0, 20);
  }
  return condition();
}

}  // namespace ddl::agent
