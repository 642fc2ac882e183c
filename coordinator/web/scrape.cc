#include "coordinator/web/scrape.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "common/version.h"
#include "coordinator/core/lineage.h"
#include "coordinator/web/cluster_metrics.h"
#include "coordinator/web/run_metrics.h"

namespace ddl::coordinator {

struct Scrape::Visible {
  MetricFamilies families;
  std::vector<std::string> runs;  // Newest first.
  std::map<std::string, Lineage> lineages;
  std::map<std::string, Objective> objectives;  // Of the runs of sweeps.
  std::set<std::string> ended;
  uint64_t dropped_samples = 0;
};

absl::StatusOr<Scrape::Visible> Scrape::Look(absl::Time now, absl::Time deadline) {
  return loop_.Read<Visible>(
      deadline, [now](const Sequencer& sequencer) -> absl::StatusOr<Visible> {
        const State& state = sequencer.core().state();
        Visible visible;
        std::map<std::string, absl::Time> heard;
        for (const auto& [name, worker] : state.workers) {
          const WorkerPulse* const pulse = sequencer.Pulse(name);
          if (pulse != nullptr) heard[name] = pulse->last_heartbeat;
        }
        AddSchedulerMetrics(state, &visible.families);
        AddHeartbeats(heard, &visible.families);
        for (const v1::RunRecord* const run : VisibleRuns(state, now)) {
          AddRunMetrics(state, *run, &visible.families);
          visible.runs.push_back(run->id());
          visible.lineages[run->id()] = LineageOf(*run);
          if (HasEnded(run->state())) visible.ended.insert(run->id());
          const v1::ExperimentRecord* const parent = FindExperiment(state, run->experiment_id());
          if (parent == nullptr || parent->kind() != "sweep") continue;
          visible.objectives[run->id()] = ObjectiveOf(*parent);
        }
        visible.dropped_samples = sequencer.dropped_samples();
        return visible;
      });
}

absl::Status Scrape::AddProgress(Visible* visible, absl::Time deadline) {
  using Progress = std::map<std::string, RunProgress>;
  using Losses = std::map<int64_t, double>;
  DDL_ASSIGN_OR_RETURN(const Progress progress, store_.Progress(visible->runs));
  for (const auto& [run, values] : progress) {
    AddProgressMetrics(run, values, &visible->families);
    DDL_ASSIGN_OR_RETURN(const Losses losses, milestones_.Of(run, visible->lineages[run], values));
    for (const auto& [tokens, loss] : losses) {
      visible->families.Set("ddl_run_milestone_val_loss", {run, absl::StrCat(tokens)}, loss);
    }
  }
  const std::set<std::string> retained(visible->runs.begin(), visible->runs.end());
  milestones_.Retain(retained);
  objectives_.Retain(retained);
  std::map<std::string, double> best;
  for (const auto& [run, objective] : visible->objectives) {
    const auto found = progress.find(run);
    if (found == progress.end()) continue;
    DDL_ASSIGN_OR_RETURN(const std::optional<double> value,
                         objectives_.Of(run, visible->lineages[run], objective, found->second,
                                        visible->ended.count(run) > 0));
    if (value) best[run] = *value;
  }
  DDL_ASSIGN_OR_RETURN(
      visible->families,
      loop_.Read<MetricFamilies>(
          deadline,
          [families = visible->families,
           best](const Sequencer& sequencer) mutable -> absl::StatusOr<MetricFamilies> {
            AddSweepMetrics(sequencer.core().state(), best, &families);
            return families;
          }));
  return absl::OkStatus();
}

void Scrape::AddPoints(uint64_t dropped_samples, MetricFamilies* families) const {
  const PointCounts points = store_.point_counts();
  families->Set("ddl_points_ingested_total", {}, static_cast<double>(points.ingested));
  families->Set("ddl_points_dropped_total", {"series_cap"},
                static_cast<double>(points.over_cap + dropped_samples));
  families->Set("ddl_points_dropped_total", {"conflict"}, static_cast<double>(points.conflicting));
}

absl::StatusOr<std::vector<prometheus::MetricFamily>> Scrape::Families(absl::Time now,
                                                                       absl::Time deadline) {
  DDL_ASSIGN_OR_RETURN(Visible visible, Look(now, deadline));
  DDL_RETURN_IF_ERROR(AddProgress(&visible, deadline));
  MetricFamilies& families = visible.families;
  families.Set("ddl_build_info", {"coordinator", std::string(Version()), std::string(Revision())},
               1);
  families.Set("ddl_coordinator_leader", {}, 1);
  families.SetHistogram("ddl_scheduler_cycle_duration_seconds", {}, loop_.cycles());
  AddPoints(visible.dropped_samples, &families);
  gate_.Export(&families);
  return families.Families();
}

}  // namespace ddl::coordinator
