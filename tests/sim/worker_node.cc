#include "tests/sim/worker_node.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace ddl::sim {
namespace {

// A call of the sequencer as the network carries it: bytes in, bytes out.
template <typename Request, typename Response>
CoordinatorNode::Request Carry(absl::StatusOr<Response> (coordinator::Sequencer::*method)(
                                   const Request&, const coordinator::Caller&),
                               Request request) {
  return [method, request = std::move(request)](coordinator::Sequencer* sequencer,
                                                const coordinator::Caller& caller) -> Answer {
    absl::StatusOr<Response> response = (sequencer->*method)(request, caller);
    if (!response.ok()) return response.status();
    return response->SerializeAsString();
  };
}

template <typename Response>
Response Parse(const Answer& answer) {
  Response response;
  if (answer.ok()) response.ParseFromString(*answer);
  return response;
}

}  // namespace

WorkerNode::WorkerNode(int index, uint32_t slots, EventQueue* queue, Random* random, Tally* tally,
                       Network* network, CoordinatorNode* coordinator, std::unique_ptr<Host> host)
    : index_(index),
      slots_(slots),
      name_(absl::StrCat("w", index)),
      queue_(*queue),
      random_(*random),
      tally_(*tally),
      network_(*network),
      coordinator_(*coordinator),
      host_(std::move(host)) {}

void WorkerNode::Start() {
  agent::AgentSettings settings;
  settings.worker = name_;
  settings.session = absl::StrCat(name_, "-session-", ++incarnation_);
  settings.launch.data_root = "/data";
  settings.launch.checkpoint_root = "/checkpoints";
  settings.launch.state_folder = "/state";
  settings.launch.devices.clear();
  for (uint32_t i = 0; i < slots_; ++i) {
    v1::Slot slot;
    slot.set_index(i);
    slot.set_device(absl::StrCat("cpu:", i));
    settings.launch.devices.push_back(slot.device());
    settings.slots.push_back(slot);
  }
  settings.cluster_id = cluster_id_;
  settings.term = term_;
  agent_ = std::make_unique<agent::Agent>(settings, host_.get(), host_.get(), host_.get());
  if (!agent_->Adopt(Now()).ok()) tally_.Break("the daemon cannot adopt");
  beating_ = false;
  tally_.Trace("daemon ", name_, " ", incarnation_);
  Beat(incarnation_);
  PollLater(incarnation_);
}

void WorkerNode::Crash() {
  agent_.reset();
  ++incarnation_;
}

void WorkerNode::Reboot() {
  Crash();
  host_->Reboot();
}

void WorkerNode::Beat(uint64_t incarnation) {
  if (!IsCurrent(incarnation)) return;
  queue_.After(random_.Millis(1600, 2400), [this, incarnation] { Beat(incarnation); });
  if (beating_) return;
  beating_ = true;
  if (agent_->registered()) {
    Heartbeat(incarnation);
  } else {
    Register(incarnation);
  }
}

void WorkerNode::Register(uint64_t incarnation) {
  const std::string id = absl::StrCat(name_, "/", incarnation, "/", ++registrations_);
  auto request = Carry(&coordinator::Sequencer::Register, agent_->MakeRegister(id));
  network_.Call(
      index_,
      [this, request](const Respond& respond) { coordinator_.Serve(name_, request, respond); },
      absl::Seconds(3),
      [this, incarnation](const Answer& answer) {
        if (!IsCurrent(incarnation)) return;
        beating_ = false;
        if (!answer.ok()) return;
        if (!agent_->OnRegistered(Parse<v1::RegisterResponse>(answer)).ok()) return;
        cluster_id_ = agent_->cluster_id();
        term_ = agent_->term();
        beating_ = true;
        Heartbeat(incarnation);
      });
}

void WorkerNode::Heartbeat(uint64_t incarnation) {
  agent_->Poll(Now());
  auto request = Carry(&coordinator::Sequencer::Heartbeat, agent_->MakeHeartbeat({}));
  network_.Call(
      index_,
      [this, request](const Respond& respond) { coordinator_.Serve(name_, request, respond); },
      absl::Seconds(3),
      [this, incarnation](const Answer& answer) {
        if (!IsCurrent(incarnation)) return;
        beating_ = false;
        if (!answer.ok()) {
          agent_->OnHeartbeatError(answer.status());
          return;
        }
        agent_->OnHeartbeat(Parse<v1::HeartbeatResponse>(answer), Now());
        term_ = agent_->term();
        if (agent_->holding()) {
          tally_.Break(absl::StrCat(name_, " is told to hold, but nothing was restored"));
        }
        Pump(incarnation);
      });
}

void WorkerNode::PollLater(uint64_t incarnation) {
  if (!IsCurrent(incarnation)) return;
  Pump(incarnation);
  queue_.After(random_.Millis(700, 1300), [this, incarnation] { PollLater(incarnation); });
}

void WorkerNode::Pump(uint64_t incarnation) {
  agent_->Poll(Now());
  while (std::optional<agent::OutboxCall> call = agent_->NextCall()) {
    if (std::holds_alternative<v1::ReportEventsRequest>(call->request)) {
      SendReport(*call, incarnation);
    } else {
      SendCommit(*call, incarnation);
    }
  }
  agent_->TakeNotices();
}

void WorkerNode::SendReport(const agent::OutboxCall& call, uint64_t incarnation) {
  auto request =
      Carry(&coordinator::Sequencer::ReportEvents, std::get<v1::ReportEventsRequest>(call.request));
  network_.Call(
      index_,
      [this, request](const Respond& respond) { coordinator_.Serve(name_, request, respond); },
      absl::Seconds(5),
      [this, incarnation, rank = call.rank](const Answer& answer) {
        const auto response = Parse<v1::ReportEventsResponse>(answer);
        if (answer.ok() && on_acknowledged) on_acknowledged(rank, response.durable_seq());
        if (IsCurrent(incarnation)) agent_->OnReport(rank, answer.status(), response);
      });
}

void WorkerNode::SendCommit(const agent::OutboxCall& call, uint64_t incarnation) {
  const auto& commit = std::get<v1::CommitCheckpointRequest>(call.request);
  auto request = Carry(&coordinator::Sequencer::CommitCheckpoint, commit);
  const std::string run = commit.run();
  const std::string folder = commit.checkpoint().folder();
  network_.Call(
      index_,
      [this, request](const Respond& respond) { coordinator_.Serve(name_, request, respond); },
      absl::Seconds(5),
      [this, incarnation, rank = call.rank, run, folder](const Answer& answer) {
        if (answer.ok() && on_committed) on_committed(run, folder);
        if (IsCurrent(incarnation)) agent_->OnCommit(rank, answer.status());
      });
}

}  // namespace ddl::sim
