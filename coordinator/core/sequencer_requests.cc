// What people ask for: new experiments, and changes to runs.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/names.h"
#include "common/spec_rules.h"
#include "common/status.h"
#include "common/sweep_expand.h"
#include "coordinator/core/decide.h"
#include "coordinator/core/selector.h"
#include "coordinator/core/sequencer.h"
#include "coordinator/core/sequencer_inner.h"
#include "coordinator/core/verbs.h"
#include "coordinator/core/views.h"

namespace ddl::coordinator {
namespace {

// The facts of a submission, in order.
struct Submission {
  v1::ExperimentSubmitted experiment;
  std::vector<v1::RunCreated> runs;
};

absl::StatusOr<Submission> OneRun(const v1::ExperimentSpec& partial, IdSource* ids) {
  DDL_ASSIGN_OR_RETURN(const v1::ExperimentSpec spec, ResolveSpec(partial));
  Submission submission;
  submission.experiment.set_id(ids->Next());
  submission.experiment.set_name(spec.name());
  submission.experiment.set_kind("run");
  submission.experiment.set_trials(1);
  submission.runs.push_back(MakeRun(submission.experiment.id(), 0, ids->Next(), spec));
  return submission;
}

absl::StatusOr<Submission> Sweep(const v1::SweepSpec& partial, const SequencerSettings& settings,
                                 IdSource* ids) {
  DDL_ASSIGN_OR_RETURN(const v1::SweepSpec sweep, ResolveSweep(partial));
  const int64_t trials = TrialCount(sweep);
  if (trials < 1 || trials > settings.trials_per_sweep) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a sweep must have 1 to ", settings.trials_per_sweep, " trials, got ", trials));
  }
  Submission submission;
  submission.experiment.set_id(ids->Next());
  submission.experiment.set_name(sweep.name());
  submission.experiment.set_kind("sweep");
  submission.experiment.set_trials(static_cast<uint32_t>(trials));
  *submission.experiment.mutable_sweep() = sweep;
  const auto window =
      static_cast<uint32_t>(std::min<int64_t>(trials, settings.core.live_runs_per_sweep));
  for (uint32_t i = 0; i < window; ++i) {
    DDL_ASSIGN_OR_RETURN(const v1::ExperimentSpec spec, Trial(sweep, i));
    submission.runs.push_back(MakeRun(submission.experiment.id(), i, ids->Next(), spec));
  }
  return submission;
}

absl::Status CheckRoom(const State& state, const Submission& submission) {
  const std::vector<WorkerRoom> rooms = RoomOf(state);
  for (const v1::RunCreated& run : submission.runs) {
    const std::string& pool = run.spec().resources().pool();
    const uint32_t ranks = run.spec().parallel().ranks();
    const uint32_t largest = LargestPlacement(rooms, pool);
    if (ranks <= largest) continue;
    return absl::ResourceExhaustedError(absl::StrCat(
        "parallel.ranks: ", ranks, " slots are more than the workers of pool ", Quoted(pool),
        " have: the largest possible is ", largest, " (set queue to wait for more workers)"));
  }
  return absl::OkStatus();
}

std::vector<v1::Event> FactsOf(const Submission& submission, const v1::Event& envelope) {
  std::vector<v1::Event> facts(1 + submission.runs.size(), envelope);
  *facts[0].mutable_experiment_submitted() = submission.experiment;
  for (size_t i = 0; i < submission.runs.size(); ++i) {
    *facts[i + 1].mutable_run_created() = submission.runs[i];
  }
  return facts;
}

v1::SubmitExperimentResponse AnswerTo(const State& state, const Submission& submission,
                                      uint32_t limit) {
  v1::SubmitExperimentResponse response;
  *response.mutable_experiment() = ExperimentView(state.experiments.at(submission.experiment.id()));
  for (const v1::RunCreated& run : submission.runs) {
    if (static_cast<uint32_t>(response.runs_size()) == limit) break;
    *response.add_runs() = RunView(state.runs.at(run.id()), nullptr);
  }
  return response;
}

// A core that holds nothing: what a submission would look like.
Core EmptyCore(const State& state, const CoreSettings& settings, absl::Time now) {
  Core core(settings);
  v1::Event event = MakeEvent(core.state(), now, "");
  event.set_term(1);
  event.mutable_term_started()->set_term(1);
  event.mutable_term_started()->set_cluster_id(state.cluster_id);
  DDL_CHECK(core.Apply(event).ok());
  return core;
}

struct VerbRules {
  const char* name;
  const char* past;
  bool (*may)(const v1::RunRecord&);
  v1::Expansion expansion;
  void (*fact)(const std::string& run, v1::Event* event);
};

const VerbRules kCancel = {
    "cancel", "canceled", MayCancel, v1::EXPANSION_CANCELED,
    [](const std::string& run, v1::Event* event) { event->mutable_run_canceled()->set_run(run); }};
const VerbRules kPause = {"pause", "paused", MayPause, v1::EXPANSION_PAUSED,
                          [](const std::string& run, v1::Event* event) {
                            event->mutable_run_pause_requested()->set_run(run);
                          }};
const VerbRules kResume = {
    "resume", "resumed", MayResume, v1::EXPANSION_GOES_ON,
    [](const std::string& run, v1::Event* event) { event->mutable_run_resumed()->set_run(run); }};

bool IsEmpty(const v1::RunSelector& selector) {
  return selector.runs().empty() && selector.sweep().empty() && selector.labels().empty() &&
         selector.not_labels().empty();
}

// Whether `verb` changes what becomes of the experiment's trials that do not exist yet.
bool ChangesExpansion(const v1::ExperimentRecord& experiment, const VerbRules& verb) {
  const bool pausable =
      verb.expansion != v1::EXPANSION_GOES_ON || experiment.expansion() == v1::EXPANSION_PAUSED;
  return experiment.created() < experiment.trials() && pausable &&
         experiment.expansion() != verb.expansion &&
         experiment.expansion() != v1::EXPANSION_CANCELED && !HasEnded(experiment.state());
}

// The runs that change; an error when one that was named cannot, or when none can.
absl::StatusOr<std::vector<std::string>> RunsToChange(const State& state,
                                                      const Selection& selection,
                                                      const VerbRules& verb, bool trials_change) {
  std::vector<std::string> runs;
  for (const std::string& id : selection.runs) {
    const v1::RunRecord& run = state.runs.at(id);
    if (verb.may(run)) {
      runs.push_back(id);
    } else if (selection.named.count(id) > 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot ", verb.name, " run ", id, ": it is ", Word(run.state())));
    }
  }
  if (!runs.empty() || trials_change) return runs;
  if (selection.runs.empty()) return absl::NotFoundError("no run matches the selection");
  return absl::FailedPreconditionError(
      absl::StrCat("none of the ", selection.runs.size(), " selected runs can be ", verb.past));
}

absl::StatusOr<v1::ChangeRunsResponse> ViewsOf(const State& state, Store* store,
                                               const std::vector<std::string>& runs,
                                               uint32_t limit) {
  std::vector<std::string> shown = runs;
  if (shown.size() > limit) shown.resize(limit);
  v1::ChangeRunsResponse response;
  DDL_ASSIGN_OR_RETURN(const auto progress, store->Progress(shown));
  for (const std::string& id : shown) {
    const auto it = progress.find(id);
    *response.add_runs() = RunView(state.runs.at(id), it == progress.end() ? nullptr : &it->second);
  }
  return response;
}

}  // namespace

absl::Status CheckSubmission(const v1::SubmitExperimentRequest& request) {
  switch (request.what_case()) {
    case v1::SubmitExperimentRequest::kSpec: return ResolveSpec(request.spec()).status();
    case v1::SubmitExperimentRequest::kSweep: return CheckSweep(request.sweep());
    case v1::SubmitExperimentRequest::WHAT_NOT_SET: break;
  }
  return absl::InvalidArgumentError("spec or sweep must be set");
}

absl::StatusOr<v1::SubmitExperimentResponse> Sequencer::Submit(
    const v1::SubmitExperimentRequest& request, const Caller& caller) {
  return Submit(request, caller, CheckSubmission(request));
}

absl::StatusOr<v1::SubmitExperimentResponse> Sequencer::Submit(
    const v1::SubmitExperimentRequest& request, const Caller& caller, const absl::Status& checked) {
  Inner& self = *inner_;
  DDL_RETURN_IF_ERROR(self.CheckWritable());
  v1::SubmitExperimentResponse response;
  DDL_ASSIGN_OR_RETURN(const bool repeated, self.FindReply("SubmitExperiment", request.request_id(),
                                                           request, caller, &response));
  if (repeated) return response;
  DDL_RETURN_IF_ERROR(checked);
  const State& state = self.core.state();
  IdSource ids(&state, caller.entropy);
  DDL_ASSIGN_OR_RETURN(const Submission submission,
                       request.has_spec() ? OneRun(request.spec(), &ids)
                                          : Sweep(request.sweep(), self.settings, &ids));
  if (!request.queue()) DDL_RETURN_IF_ERROR(CheckRoom(state, submission));
  const v1::Event envelope = self.Envelope(caller, /*by_caller=*/true);
  std::vector<v1::Event> facts = FactsOf(submission, envelope);
  for (const v1::Event& fact : facts) {
    if (fact.ByteSizeLong() <= self.settings.record_bytes) continue;
    return absl::InvalidArgumentError(absl::StrCat("the spec takes ", fact.ByteSizeLong(),
                                                   " bytes, at most ", self.settings.record_bytes,
                                                   " are allowed"));
  }
  if (request.validate_only()) {
    Core scratch = EmptyCore(state, self.settings.core, caller.now);
    for (v1::Event& fact : facts) {
      fact.set_term(scratch.state().term);
      DDL_CHECK(scratch.Apply(fact).ok());
    }
    return AnswerTo(scratch.state(), submission, self.settings.runs_per_answer);
  }
  for (const v1::Event& fact : facts) self.MustRecord(fact);
  response = AnswerTo(state, submission, self.settings.runs_per_answer);
  self.KeepReply("SubmitExperiment", request.request_id(), request, caller, response);
  return response;
}

absl::StatusOr<v1::ChangeRunsResponse> Sequencer::Change(Verb which,
                                                         const v1::ChangeRunsRequest& request,
                                                         const Caller& caller) {
  Inner& self = *inner_;
  const VerbRules& verb = which == Verb::kCancel  ? kCancel
                          : which == Verb::kPause ? kPause
                                                  : kResume;
  DDL_RETURN_IF_ERROR(self.CheckWritable());
  v1::ChangeRunsResponse response;
  DDL_ASSIGN_OR_RETURN(const bool repeated,
                       self.FindReply(verb.name, request.request_id(), request, caller, &response));
  if (repeated) return response;
  if (IsEmpty(request.selector())) {
    return absl::InvalidArgumentError(absl::StrCat("select at least one run to ", verb.name));
  }
  const State& state = self.core.state();
  DDL_ASSIGN_OR_RETURN(const Selection selection, SelectRuns(state, request.selector()));
  std::vector<std::string> experiments;
  for (const std::string& id : selection.experiments) {
    if (ChangesExpansion(state.experiments.at(id), verb)) experiments.push_back(id);
  }
  DDL_ASSIGN_OR_RETURN(const std::vector<std::string> runs,
                       RunsToChange(state, selection, verb, !experiments.empty()));
  const v1::Event envelope = self.Envelope(caller, /*by_caller=*/true);
  for (const std::string& id : experiments) {
    v1::Event event = envelope;
    event.mutable_experiment_halted()->set_id(id);
    event.mutable_experiment_halted()->set_expansion(verb.expansion);
    self.MustRecord(event);
  }
  for (const std::string& id : runs) {
    v1::Event event = envelope;
    verb.fact(id, &event);
    self.MustRecord(event);
  }
  DDL_ASSIGN_OR_RETURN(response, ViewsOf(state, &self.store, runs, self.settings.runs_per_answer));
  self.KeepReply(verb.name, request.request_id(), request, caller, response);
  return response;
}

absl::StatusOr<v1::ChangeRunsResponse> Sequencer::Cancel(const v1::ChangeRunsRequest& request,
                                                         const Caller& caller) {
  return Change(Verb::kCancel, request, caller);
}
absl::StatusOr<v1::ChangeRunsResponse> Sequencer::Pause(const v1::ChangeRunsRequest& request,
                                                        const Caller& caller) {
  return Change(Verb::kPause, request, caller);
}
absl::StatusOr<v1::ChangeRunsResponse> Sequencer::Resume(const v1::ChangeRunsRequest& request,
                                                         const Caller& caller) {
  return Change(Verb::kResume, request, caller);
}

}  // namespace ddl::coordinator
