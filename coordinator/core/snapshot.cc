// Snapshots: the state as bytes that are equal for equal states, and back.
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "coordinator/core/change.h"
#include "coordinator/core/core.h"
#include "coordinator/core/serialize.h"

namespace ddl::coordinator {
namespace {

constexpr uint32_t kFormatVersion = 1;

void IndexState(State* state) {
  for (const auto& [id, run] : state->runs) {
    if (NeedsAttention(run)) state->live_runs.insert(id);
  }
  for (const auto& [id, experiment] : state->experiments) {
    if (!HasEnded(experiment.state())) state->live_experiments.insert(id);
  }
}

}  // namespace

std::string Core::Snapshot() const {
  v1::Snapshot snapshot;
  snapshot.set_format_version(kFormatVersion);
  snapshot.set_cluster_id(state_.cluster_id);
  snapshot.set_term(state_.term);
  snapshot.set_version(state_.version);
  snapshot.set_last_order(state_.last_order);
  for (const auto& [id, record] : state_.experiments) *snapshot.add_experiments() = record;
  for (const auto& [id, record] : state_.runs) *snapshot.add_runs() = record;
  for (const auto& [name, record] : state_.workers) *snapshot.add_workers() = record;
  return SerializeDeterministically(snapshot);
}

absl::StatusOr<Core> Core::Restore(absl::string_view bytes, CoreSettings settings) {
  v1::Snapshot snapshot;
  if (!snapshot.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("the snapshot is not readable");
  }
  if (snapshot.format_version() != kFormatVersion) {
    return absl::DataLossError(absl::StrCat("the snapshot has format ", snapshot.format_version(),
                                            ", this version reads ", kFormatVersion));
  }
  Core core(settings);
  State& state = core.state_;
  state.cluster_id = snapshot.cluster_id();
  state.term = snapshot.term();
  state.version = snapshot.version();
  state.last_order = snapshot.last_order();
  for (auto& record : *snapshot.mutable_experiments()) {
    state.experiments[record.id()] = std::move(record);
  }
  for (auto& record : *snapshot.mutable_runs()) state.runs[record.id()] = std::move(record);
  for (auto& record : *snapshot.mutable_workers()) state.workers[record.name()] = std::move(record);
  IndexState(&state);
  return core;
}

std::string Core::Hash() const { return Sha256Hex(Snapshot()); }

}  // namespace ddl::coordinator
