// The coordinator as one process: the production Sequencer with group commit, crashes and restarts.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/core/sequencer.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/journal_disk.h"
#include "tests/sim/network.h"
#include "tests/sim/random.h"
#include "tests/sim/tally.h"

namespace ddl::sim {

class CoordinatorNode {
 public:
  using Sequencer = coordinator::Sequencer;
  using Request = std::function<Answer(Sequencer*, const coordinator::Caller&)>;

  CoordinatorNode(EventQueue* queue, Random* random, Tally* tally);

  void Start();
  bool up() const { return sequencer_.has_value(); }
  // Runs `request` when the process is up; answers after the next good Flush.
  void Serve(const std::string& principal, const Request& request, const Respond& respond);

  // Kills the process: between two commits or in the midst of one.
  void Crash();
  // Kills it in its next commit.
  void CrashInCommit() { crash_in_commit_ = up(); }
  void Disarm() { crash_in_commit_ = false; }
  void JumpClock(absl::Duration by) { clock_offset_ += by; }
  JournalDisk& disk() { return disk_; }
  // Null while the process is down.
  const coordinator::Core* core() const { return up() ? &sequencer_->core() : nullptr; }
  // When the process has been killed.
  std::function<void()> on_crash;
  // Called with the state after every change, and after every commit.
  std::function<void(const coordinator::Core&, const coordinator::Effects&)> on_change;
  std::function<void(const coordinator::Core&)> on_commit;
  // Replays the journal and compares hashes.
  void CheckReplay(const std::string& expected);

 private:
  coordinator::Caller MakeCaller(const std::string& principal);
  void Tick(uint64_t incarnation);
  void PlanFlush();
  void Flush();
  void Changed();
  coordinator::SequencerSettings Settings() const;

  EventQueue& queue_;
  Random& random_;
  Tally& tally_;
  JournalDisk disk_;
  std::optional<Sequencer> sequencer_;
  std::vector<std::pair<Respond, Answer>> waiting_;
  bool flush_planned_ = false;
  bool crash_in_commit_ = false;
  uint64_t incarnation_ = 0;
  // Of the last commit. A term that a crash lost was never told to anyone and may come again.
  uint64_t durable_term_ = 0;
  absl::Duration clock_offset_;
};

}  // namespace ddl::sim
