#include "worker/train/launch_proto.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/architecture.h"
#include "common/files.h"
#include "common/spec_model.h"
#include "common/spec_rules.h"
#include "common/status.h"
#include "common/synthetic_spec.h"
#include "proto/ddl/v1/launch.pb.h"
#include "worker/train/model_proto.h"

namespace ddl {
namespace {

TrainConfig PlainTrain(const v1::ExperimentSpec& spec) {
  const v1::TrainSpec& train = spec.train();
  const int64_t sequence_tokens = spec.model().max_seq_len();
  return {.seed = spec.seed(),
          .tokens = static_cast<int64_t>(train.tokens()),
          .sequence_tokens = sequence_tokens,
          .step_sequences = static_cast<int64_t>(train.global_batch_tokens()) / sequence_tokens,
          .micro_sequences = train.micro_batch_sequences(),
          .grad_clip = train.grad_clip(),
          .skip_nonfinite = train.nan_policy() == "skip",
          .eval_every_tokens = static_cast<int64_t>(spec.eval().every_tokens()),
          .eval_tokens = static_cast<int64_t>(spec.eval().tokens()),
          .checkpoint_every_tokens = static_cast<int64_t>(spec.checkpoint().every_tokens()),
          .log_every_steps = spec.observability().log_every(),
          .gates_by_layer = spec.observability().per_layer() == "full",
          .threads = spec.parallel().threads_per_rank(),
          .flops_per_token = FlopsPerToken(ArchitectureOf(spec.model()))};
}

OptimizerConfig PlainOptimizer(const v1::OptimSpec& optim) {
  const v1::AdamWSpec& adamw = optim.adamw();
  const v1::MuonSpec& muon = optim.muon();
  return {.use_muon = optim.type() == "muon",
          .adamw = {.beta1 = adamw.beta1(),
                    .beta2 = adamw.beta2(),
                    .eps = adamw.eps(),
                    .weight_decay = adamw.weight_decay()},
          .adamw_peak = adamw.lr(),
          .muon = {.momentum = muon.momentum(),
                   .nesterov = muon.nesterov(),
                   .polar_steps = muon.polar_steps()},
          .muon_peak = muon.lr()};
}

ScheduleShape ShapeOf(const std::string& type) {
  if (type == "constant") return ScheduleShape::kConstant;
  if (type == "cosine") return ScheduleShape::kCosine;
  return type == "linear" ? ScheduleShape::kLinear : ScheduleShape::kWarmupStableDecay;
}

ScheduleConfig PlainSchedule(const v1::ExperimentSpec& spec) {
  const v1::ScheduleSpec& schedule = spec.optim().schedule();
  return {.shape = ShapeOf(schedule.type()),
          .warmup_tokens = static_cast<int64_t>(schedule.warmup_tokens()),
          .decay_tokens = static_cast<int64_t>(schedule.decay_tokens()),
          .min_ratio = schedule.type() == "constant" ? 1.0 : schedule.min_ratio(),
          .total_tokens = static_cast<int64_t>(spec.train().tokens())};
}

void FillFromSpec(const v1::ExperimentSpec& spec, Launch* launch) {
  launch->spec = spec.SerializeAsString();
  launch->model = PlainModel(spec.model());
  launch->train = PlainTrain(spec);
  launch->optimizer = PlainOptimizer(spec.optim());
  launch->schedule = PlainSchedule(spec);
  launch->synthetic = SyntheticTaskOf(spec);
  launch->data_manifest_sha256 = spec.data().manifest_sha256();
}

absl::Status CheckPlacement(const v1::RankLaunch& launch, const v1::ExperimentSpec& spec) {
  const uint32_t ranks = spec.parallel().ranks();
  if (launch.world_size() != ranks) {
    return absl::InvalidArgumentError(
        absl::StrCat("world_size must be parallel.ranks ", ranks, ", got ", launch.world_size()));
  }
  if (launch.rank() >= ranks) {
    return absl::InvalidArgumentError(
        absl::StrCat("rank must be below world_size ", ranks, ", got ", launch.rank()));
  }
  if (launch.rendezvous_port() > std::numeric_limits<uint16_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat("rendezvous_port must be at most 65535, got ", launch.rendezvous_port()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Launch> ReadLaunch(const std::string& path) {
  DDL_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  v1::RankLaunch proto;
  if (!proto.ParseFromString(bytes)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is no RankLaunch message"));
  }
  absl::StatusOr<v1::ExperimentSpec> spec = ResolveSpec(proto.spec());
  if (!spec.ok()) return Annotate(spec.status(), absl::StrCat(path, ": spec"));
  DDL_RETURN_IF_ERROR(Annotate(CheckPlacement(proto, *spec), path));

  Launch launch{.run = proto.run(),
                .epoch = proto.epoch(),
                .attempt = proto.attempt(),
                .rank = proto.rank(),
                .world_size = proto.world_size(),
                .data_folder = proto.data_folder(),
                .rank_folder = proto.rank_folder(),
                .checkpoint_root = proto.checkpoint_root(),
                .checkpoint_folder = proto.attempt_checkpoint_folder(),
                .device = proto.device().empty() ? "cpu" : proto.device(),
                .rendezvous_host = proto.rendezvous_host(),
                .rendezvous_port = static_cast<uint16_t>(proto.rendezvous_port()),
                .bind_address = proto.bind_address(),
                .lease_file = proto.lease_file(),
                .orphan_ttl_seconds = proto.orphan_ttl_seconds()};
  FillFromSpec(*spec, &launch);
  for (const v1::CommittedCheckpoint& checkpoint : proto.checkpoints()) {
    launch.checkpoints.push_back({.folder = checkpoint.folder(),
                                  .step = checkpoint.step(),
                                  .manifest_sha256 = checkpoint.manifest_sha256(),
                                  .epoch = checkpoint.epoch()});
  }
  return launch;
}

}  // namespace ddl
