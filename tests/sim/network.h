// The simulated network between the coordinator and its clients and workers: calls that are lost,
// doubled, delayed, overtaken, and links that are cut in one or both directions.
//
// A call is over when its first answer arrives or its deadline passes; what arrives later is
// dropped, as gRPC drops it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/random.h"
#include "tests/sim/tally.h"

namespace ddl::sim {

using Answer = absl::StatusOr<std::string>;  // A serialized response.
using Respond = std::function<void(const Answer&)>;

struct Link {
  bool up_cut = false;    // Towards the coordinator.
  bool down_cut = false;  // From it.
};

class Network {
 public:
  Network(EventQueue* queue, Random* random, Tally* tally)
      : queue_(*queue), random_(*random), tally_(*tally) {}

  // `serve` runs at the coordinator for each copy that arrives; `done` once, at the caller.
  void Call(int link, std::function<void(const Respond&)> serve, absl::Duration deadline,
            std::function<void(const Answer&)> done);

  Link& link(int index) { return links_[index]; }
  void set_rough(bool rough) { rough_ = rough; }

 private:
  void Send(int link, bool up, std::function<void()> arrive);
  // Counts a message that arrives behind one that was sent later the same way.
  void NoteArrival(int link, bool up, uint64_t order);
  void Finish(uint64_t call, const Answer& answer);

  EventQueue& queue_;
  Random& random_;
  Tally& tally_;
  std::map<int, Link> links_;
  std::map<std::pair<int, bool>, uint64_t> newest_arrived_;  // By link and direction.
  uint64_t sent_ = 0;
  std::map<uint64_t, std::function<void(const Answer&)>> pending_;
  uint64_t calls_ = 0;
  bool rough_ = true;
};

}  // namespace ddl::sim
