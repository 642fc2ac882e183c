#include "tests/sim/client.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace ddl::sim {
namespace {

constexpr int kLink = -1;
constexpr char kUser[] = "researcher";

// A tiny model: what matters is its steps, checkpoints, ranks and budgets.
v1::ExperimentSpec TinySpec(const std::string& name, uint32_t ranks, uint64_t steps,
                            Random* random) {
  constexpr uint64_t kBatchTokens = 480;
  v1::ExperimentSpec spec;
  spec.set_name(name);
  spec.mutable_model()->set_d_model(16);
  spec.mutable_model()->set_n_layers(1);
  spec.mutable_model()->set_n_heads(2);
  spec.mutable_model()->set_max_seq_len(8);
  spec.mutable_model()->set_vocab_size(257);
  spec.mutable_data()->set_path("text");
  spec.mutable_train()->set_tokens(steps * kBatchTokens);
  spec.mutable_train()->set_global_batch_tokens(kBatchTokens);
  spec.mutable_train()->set_micro_batch_sequences(1);
  spec.mutable_eval()->set_every_tokens(steps * kBatchTokens);
  spec.mutable_eval()->set_tokens(8);
  spec.mutable_checkpoint()->set_every_tokens(kBatchTokens * random->Between(2, 4));
  spec.mutable_parallel()->set_ranks(ranks);
  spec.mutable_resources()->set_priority(static_cast<int32_t>(random->Below(3)) * 25);
  spec.mutable_resources()->set_max_restarts(static_cast<uint32_t>(random->Below(3)));
  return spec;
}

}  // namespace

void Client::Submit(uint32_t most_ranks) {
  v1::SubmitExperimentRequest request;
  request.set_request_id(absl::StrCat("submit-", ++requests_));
  request.set_queue(true);
  const std::string name = absl::StrCat("x", requests_);
  const uint32_t ranks =
      random_.Chance(600) ? 1 : static_cast<uint32_t>(random_.Between(1, most_ranks));
  const uint64_t steps = random_.Between(4, 24);
  const v1::ExperimentSpec spec = TinySpec(name, ranks, steps, &random_);
  if (random_.Chance(300)) {
    v1::SweepSpec* sweep = request.mutable_sweep();
    sweep->set_name(name);
    *sweep->mutable_base() = spec;
    sweep->set_max_concurrent(static_cast<uint32_t>(random_.Below(3)));
    v1::SweepParameter* parameter = sweep->add_parameters();
    parameter->set_path("seed");
    parameter->set_repeat(static_cast<uint32_t>(random_.Between(2, 7)));
  } else {
    *request.mutable_spec() = spec;
  }
  names_[request.request_id()] = name;
  ++unanswered_;
  SendSubmit(request);
}

void Client::SendSubmit(const v1::SubmitExperimentRequest& request) {
  const auto serve = [this, request](const Respond& respond) {
    coordinator_.Serve(
        kUser,
        [request](coordinator::Sequencer* sequencer, const coordinator::Caller& caller) -> Answer {
          const auto response = sequencer->Submit(request, caller);
          if (!response.ok()) return response.status();
          return response->SerializeAsString();
        },
        respond);
  };
  network_.Call(kLink, serve, absl::Seconds(10),
                [this, request](const Answer& answer) { OnSubmitted(request, answer); });
}

void Client::OnSubmitted(const v1::SubmitExperimentRequest& request, const Answer& answer) {
  if (!answer.ok()) {
    if (!absl::IsUnavailable(answer.status()) && !absl::IsResourceExhausted(answer.status())) {
      tally_.Break(absl::StrCat("a submission was refused: ", answer.status().message()));
    }
    queue_.After(random_.Millis(250, 5000), [this, request] { SendSubmit(request); });
    return;
  }
  const auto first = answers_.emplace(request.request_id(), *answer);
  if (first.first->second != *answer) {
    tally_.Break(absl::StrCat("request ", request.request_id(), " was answered in two ways"));
  }
  if (!first.second) return;
  --unanswered_;
  v1::SubmitExperimentResponse response;
  response.ParseFromString(*answer);
  Acknowledged& acknowledged = acknowledged_[request.request_id()];
  acknowledged.experiment = response.experiment().id();
  for (const v1::Run& run : response.runs()) acknowledged.runs.push_back(run.id());
  if (random_.Chance(80)) {  // Some people think better of it at once.
    v1::ChangeRunsRequest change;
    change.set_request_id(absl::StrCat("change-", ++requests_));
    change.mutable_selector()->add_runs(acknowledged.experiment);
    ++unanswered_;
    SendChange(&coordinator::Sequencer::Cancel, change);
  }
  // Some people repeat what was answered: the answer must be the same.
  if (random_.Chance(300)) {
    queue_.After(random_.Millis(1000, 60'000), [this, request] { SendSubmit(request); });
  }
}

std::string Client::PickRun(const coordinator::Core* core) {
  if (core != nullptr && random_.Chance(500)) {
    for (const auto& [id, run] : core->state().runs) {
      if (run.state() == v1::RUN_STATE_BACKOFF) return id;
    }
  }
  auto chosen = acknowledged_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(random_.Below(acknowledged_.size())));
  const std::vector<std::string>& runs = chosen->second.runs;
  return random_.Chance(400) ? chosen->second.experiment : runs[random_.Below(runs.size())];
}

void Client::ChangeSomething(const coordinator::Core* core) {
  if (acknowledged_.empty()) return;
  v1::ChangeRunsRequest request;
  request.set_request_id(absl::StrCat("change-", ++requests_));
  request.mutable_selector()->add_runs(PickRun(core));
  const uint64_t verb = random_.Below(10);
  const Method method = verb < 2   ? &coordinator::Sequencer::Cancel
                        : verb < 7 ? &coordinator::Sequencer::Pause
                                   : &coordinator::Sequencer::Resume;
  ++unanswered_;
  SendChange(method, request);
  if (method != &coordinator::Sequencer::Pause || !random_.Chance(300)) return;
  // Some take a pause back before it has taken effect.
  v1::ChangeRunsRequest resume = request;
  resume.set_request_id(absl::StrCat("change-", ++requests_));
  ++unanswered_;
  queue_.After(random_.Millis(500, 3000),
               [this, resume] { SendChange(&coordinator::Sequencer::Resume, resume); });
}

void Client::ResumeAll(const coordinator::State& state) {
  v1::ChangeRunsRequest request;
  for (const auto& [id, experiment] : state.experiments) {
    if (experiment.expansion() == v1::EXPANSION_PAUSED &&
        !coordinator::HasEnded(experiment.state())) {
      request.mutable_selector()->add_runs(id);
    }
  }
  for (const auto& [id, run] : state.runs) {
    if (run.state() == v1::RUN_STATE_PAUSED || run.pause_requested()) {
      request.mutable_selector()->add_runs(id);
    }
  }
  if (request.selector().runs().empty()) return;
  request.set_request_id(absl::StrCat("change-", ++requests_));
  ++unanswered_;
  SendChange(&coordinator::Sequencer::Resume, request);
}

void Client::SendChange(Method method, const v1::ChangeRunsRequest& request) {
  const auto serve = [this, method, request](const Respond& respond) {
    coordinator_.Serve(
        kUser,
        [method, request](coordinator::Sequencer* sequencer,
                          const coordinator::Caller& caller) -> Answer {
          const auto response = (sequencer->*method)(request, caller);
          if (!response.ok()) return response.status();
          return response->SerializeAsString();
        },
        respond);
  };
  network_.Call(kLink, serve, absl::Seconds(10), [this, method, request](const Answer& answer) {
    const absl::Status& status = answer.status();
    if (absl::IsUnavailable(status) || absl::IsResourceExhausted(status)) {
      queue_.After(random_.Millis(250, 5000),
                   [this, method, request] { SendChange(method, request); });
      return;
    }
    --unanswered_;
    if (!status.ok() && !absl::IsFailedPrecondition(status)) {
      tally_.Break(absl::StrCat("a change was refused: ", status.message()));
    }
  });
}

}  // namespace ddl::sim
