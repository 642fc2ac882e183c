#include "worker/agent/run_series.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/metric_table.h"

namespace ddl::agent {
namespace {

constexpr int kReadsPerFollow = 8;  // Of up to 1,000 events of one run.
constexpr absl::string_view kCheckpointSeconds = "ddl_checkpoint_duration_seconds";

}  // namespace

void RunSeries::Follow(const HeldAttempts& held, absl::Time now) {
  std::map<std::string, std::pair<uint64_t, bool>> newest;  // Epoch, and whether it has ended.
  for (const auto& [key, attempt] : held) {
    const auto rank = attempt.ranks.find(0);
    if (rank == attempt.ranks.end() || rank->second.process.pid == 0) continue;
    newest[key.run] = {key.epoch, rank->second.state == v1::RANK_STATE_EXITED};
  }
  for (const auto& [run, attempt] : newest) {
    Followed& followed = runs_[run];
    const auto [epoch, has_ended] = attempt;
    if (followed.epoch < epoch) {
      followed.epoch = epoch;
      followed.seq = 0;
      followed.ended = absl::InfiniteFuture();
    }
    Read(run, &followed);
    if (has_ended && followed.ended == absl::InfiniteFuture()) {
      // A daemon that finds an old end does not bring its series back to life.
      followed.ended = std::min(now, std::max(followed.totals.last_event(), absl::UnixEpoch()));
    }
  }
  for (auto& [run, followed] : runs_) {
    if (!newest.contains(run) && followed.ended == absl::InfiniteFuture()) followed.ended = now;
  }
  std::erase_if(runs_, [&](const auto& entry) {
    // A held run stays, or its spool would be read again and again.
    return !newest.contains(entry.first) && now - entry.second.ended > kSeriesLifetime;
  });
  now_ = now;
}

void RunSeries::Read(const std::string& run, Followed* followed) {
  for (int i = 0; i < kReadsPerFollow; ++i) {
    const auto events = spools_.Read({{run, followed->epoch}, 0}, followed->seq, {});
    if (!events.ok() || events->empty()) return;
    for (const v1::RankEvent& event : *events) Apply(run, event, followed);
  }
}

void RunSeries::Apply(const std::string& run, const v1::RankEvent& event, Followed* followed) {
  followed->seq = event.seq();
  if (event.has_started()) {
    RunTotals lineage = Lineage(run, followed->epoch, event.started().resumed_step());
    lineage.NeverBelow(followed->totals);
    followed->totals = std::move(lineage);
  }
  followed->totals.Apply(event);
  if (event.has_checkpoint_prepared()) {
    const std::vector<double>& bounds = HistogramBounds(kCheckpointSeconds);
    snapshots_.Observe(bounds, event.checkpoint_prepared().snapshot_seconds());
    writes_.Observe(bounds, event.checkpoint_prepared().write_seconds());
  }
  if (event.has_checkpoint_failed()) {
    failures_[{event.checkpoint_failed().phase(), event.checkpoint_failed().reason()}] += 1;
  }
}

RunTotals RunSeries::Lineage(const std::string& run, uint64_t epoch, int64_t resumed_step) {
  std::vector<uint64_t> earlier = epochs_(run);
  std::erase_if(earlier, [&](uint64_t other) { return other >= epoch; });
  // An attempt's records count up to the step at which a later attempt resumed.
  std::map<uint64_t, int64_t> limits;
  int64_t limit = resumed_step;
  for (auto it = earlier.rbegin(); it != earlier.rend(); ++it) {
    limits[*it] = limit;
    ReadWhole({{run, *it}, 0}, [&limit](const v1::RankEvent& event) {
      if (event.has_started()) limit = std::min(limit, event.started().resumed_step());
      return false;
    });
  }
  RunTotals totals;
  for (const auto& [other, last_step] : limits) {
    ReadWhole({{run, other}, 0}, [&totals, last = last_step](const v1::RankEvent& event) {
      if (event.has_step() && event.step().step() > last) return true;
      totals.Apply(event);
      return true;
    });
  }
  return totals;
}

void RunSeries::ReadWhole(const RankKey& rank,
                          const std::function<bool(const v1::RankEvent&)>& take) {
  uint64_t after = 0;
  while (true) {
    const auto events = spools_.Read(rank, after, {});
    if (!events.ok() || events->empty()) return;
    for (const v1::RankEvent& event : *events) {
      if (!take(event)) return;
      after = event.seq();
    }
  }
}

void RunSeries::Collect(MetricFamilies* families) const {
  for (const auto& [run, followed] : runs_) {
    if (now_ - followed.ended <= kSeriesLifetime) followed.totals.Collect(run, families);
  }
  families->SetHistogram(kCheckpointSeconds, {"snapshot"}, snapshots_);
  families->SetHistogram(kCheckpointSeconds, {"write"}, writes_);
  for (const auto& [labels, count] : failures_) {
    families->Set("ddl_checkpoint_failures_total", labels, count);
  }
}

}  // namespace ddl::agent
