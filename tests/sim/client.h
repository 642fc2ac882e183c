// People at the simulated service: they submit, cancel, pause and resume, and repeat a call under
// its request_id until it is answered.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "proto/ddl/v1/experiments.pb.h"
#include "tests/sim/coordinator_node.h"
#include "tests/sim/network.h"

namespace ddl::sim {

struct Acknowledged {
  std::string experiment;
  std::vector<std::string> runs;
};

class Client {
 public:
  Client(EventQueue* queue, Random* random, Tally* tally, Network* network,
         CoordinatorNode* coordinator)
      : queue_(*queue),
        random_(*random),
        tally_(*tally),
        network_(*network),
        coordinator_(*coordinator) {}

  // One run or a small sweep, of a name of its own; `most_ranks` is the largest gang.
  void Submit(uint32_t most_ranks);
  // Cancels, pauses or resumes a run that was acknowledged; with `core` at hand, sometimes one in
  // backoff, which is seldom met by chance.
  void ChangeSomething(const coordinator::Core* core);
  // Resumes everything that is paused.
  void ResumeAll(const coordinator::State& state);

  bool idle() const { return unanswered_ == 0; }
  // By request_id: what was acknowledged, and the name that only this request gave.
  const std::map<std::string, Acknowledged>& acknowledged() const { return acknowledged_; }
  const std::map<std::string, std::string>& names() const { return names_; }

 private:
  using Method = absl::StatusOr<v1::ChangeRunsResponse> (coordinator::Sequencer::*)(
      const v1::ChangeRunsRequest&, const coordinator::Caller&);
  std::string PickRun(const coordinator::Core* core);
  void SendSubmit(const v1::SubmitExperimentRequest& request);
  void SendChange(Method method, const v1::ChangeRunsRequest& request);
  void OnSubmitted(const v1::SubmitExperimentRequest& request, const Answer& answer);

  EventQueue& queue_;
  Random& random_;
  Tally& tally_;
  Network& network_;
  CoordinatorNode& coordinator_;
  uint64_t requests_ = 0;
  uint64_t unanswered_ = 0;
  std::map<std::string, Acknowledged> acknowledged_;
  std::map<std::string, std::string> answers_;  // Bytes of each first answer.
  std::map<std::string, std::string> names_;
};

}  // namespace ddl::sim
