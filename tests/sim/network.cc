#include "tests/sim/network.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace ddl::sim {

void Network::NoteArrival(int link, bool up, uint64_t order) {
  uint64_t& newest = newest_arrived_[{link, up}];
  if (order < newest) tally_.Count(Fault::kMessageReordered);
  newest = std::max(newest, order);
}

void Network::Send(int link, bool up, std::function<void()> arrive) {
  const uint64_t order = ++sent_;
  const auto deliver = [this, link, up, order](absl::Duration delay, std::function<void()> action) {
    queue_.After(delay, [this, link, up, order, action = std::move(action)] {
      const Link& now = links_[link];
      if (up ? now.up_cut : now.down_cut) return;
      NoteArrival(link, up, order);
      action();
    });
  };
  if (rough_ && random_.Chance(20)) {
    tally_.Count(Fault::kMessageLost);
    return;
  }
  if (rough_ && random_.Chance(20)) {
    tally_.Count(Fault::kMessageDuplicated);
    deliver(random_.Millis(1, 6000), arrive);
  }
  absl::Duration delay = random_.Millis(1, 20);
  if (rough_ && random_.Chance(20)) {
    tally_.Count(Fault::kMessageDelayed);
    delay = random_.Millis(500, 8000);
  }
  deliver(delay, std::move(arrive));
}

void Network::Finish(uint64_t call, const Answer& answer) {
  const auto found = pending_.find(call);
  if (found == pending_.end()) return;
  const std::function<void(const Answer&)> done = std::move(found->second);
  pending_.erase(found);
  done(answer);
}

void Network::Call(int link, std::function<void(const Respond&)> serve, absl::Duration deadline,
                   std::function<void(const Answer&)> done) {
  const uint64_t call = ++calls_;
  pending_.emplace(call, std::move(done));
  queue_.After(deadline, [this, call] { Finish(call, absl::UnavailableError("deadline")); });
  const Respond respond = [this, link, call](const Answer& answer) {
    Send(link, /*up=*/false, [this, call, answer] { Finish(call, answer); });
  };
  Send(link, /*up=*/true, [serve = std::move(serve), respond] { serve(respond); });
}

}  // namespace ddl::sim
