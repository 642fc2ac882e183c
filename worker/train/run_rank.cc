#include "worker/train/run_rank.h"

#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/architecture.h"
#include "common/logging.h"
#include "common/status.h"
#include "worker/comm/collective.h"
#include "worker/data/synthetic_source.h"
#include "worker/data/text_source.h"
#include "worker/model/model_shapes.h"
#include "worker/model/random_stream.h"
#include "worker/model/transformer.h"
#include "worker/optim/optimizer.h"
#include "worker/train/checkpoint_writer.h"
#include "worker/train/device_peak.h"
#include "worker/train/environment.h"
#include "worker/train/loop.h"
#include "worker/train/resume.h"

namespace ddl {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUser = 2;
constexpr int kExitDrained = 75;

RankExited UserError(const absl::Status& status) {
  return {kExitUser, ExitClass::kUser, std::string(status.message()), 0};
}

// What a step or a meeting of ranks failed with.
RankExited Failure(const absl::Status& status, int64_t step) {
  const std::string message(status.message());
  if (absl::IsOutOfRange(status)) return {kExitUser, ExitClass::kUser, message, step};
  if (absl::IsDataLoss(status)) return {kExitFailure, ExitClass::kCheckpoint, message, step};
  return {kExitFailure, ExitClass::kInfrastructure, message, step};
}

RankExited ExceptionExit(const std::exception& error) {
  const std::string text = error.what();
  const std::string message = text.substr(0, text.find('\n'));
  const bool memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
                      dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
                      absl::StrContains(text, "can't allocate memory");
  return {kExitFailure, memory ? ExitClass::kOutOfMemory : ExitClass::kInfrastructure, message, 0};
}

Manifest ManifestOf(const Launch& launch, at::Device device) {
  return {.run = launch.run,
          .epoch = launch.epoch,
          .spec = launch.spec,
          .recipe_version = kRecipeVersion,
          .world_size = launch.world_size,
          .threads_per_rank = launch.train.threads,
          .device = DeviceModel(device),
          .library_versions = LibraryVersions()};
}

Rendezvous RendezvousOf(const Launch& launch, at::Device device) {
  return {.host = launch.rendezvous_host,
          .port = launch.rendezvous_port,
          .bind_address = launch.bind_address,
          .epoch = launch.epoch,
          .rank = launch.rank,
          .size = launch.world_size,
          .device = device};
}

absl::Status ReportStart(const Launch& launch, const Transformer& model, const Manifest& manifest,
                         const std::optional<Resumed>& resumed, EventSink* events) {
  RankStarted started{.device = DeviceId(model.device()),
                      .engine = "autograd",
                      .engine_reason = "this build has no fused engine",
                      .recipe_version = kRecipeVersion,
                      .parameters = static_cast<uint64_t>(model.parameters().count()),
                      .flops_per_token = launch.train.flops_per_token,
                      .library_versions = manifest.library_versions};
  if (resumed) {
    started.resumed_step = resumed->progress.step;
    started.resumed_from = resumed->folder;
    started.resume_difference = ResumeDifference(resumed->manifest, manifest);
    DDL_LOG(Info) << "resumed from " << resumed->folder << " at step " << resumed->progress.step;
    if (!started.resume_difference.empty()) {
      DDL_LOG(Warning) << "not bit-identical to the attempt before: " << started.resume_difference;
    }
  }
  const absl::string_view note = ResidualNote(ShapesOf(launch.model).residual);
  if (!note.empty()) DDL_LOG(Info) << launch.model.residual.kind << " is " << note;
  DDL_LOG(Info) << launch.model.residual.kind << " model of " << started.parameters
                << " parameters on " << started.device << ", " << launch.train.Steps()
                << " steps of " << launch.train.StepTokens() << " tokens";
  return events->Write(started);
}

absl::StatusOr<std::unique_ptr<SequenceSource>> OpenData(const Launch& launch) {
  const TrainConfig& train = launch.train;
  if (launch.synthetic) {
    return std::make_unique<SyntheticSource>(
        SyntheticPlan{.task = *launch.synthetic,
                      .seed = train.seed,
                      .val_sequences = train.eval_tokens / train.sequence_tokens,
                      .val_batch_sequences = train.micro_sequences});
  }
  DDL_ASSIGN_OR_RETURN(TrainingText text,
                       OpenTrainingText({.folder = launch.data_folder,
                                         .manifest_sha256 = launch.data_manifest_sha256,
                                         .vocab_size = launch.model.vocab_size,
                                         .sequence_tokens = train.sequence_tokens}));
  return std::make_unique<TextSource>(std::move(text),
                                      TextPlan{.seed = train.seed,
                                               .sequence_tokens = train.sequence_tokens,
                                               .val_tokens = train.eval_tokens,
                                               .val_batch_sequences = train.micro_sequences});
}

RankExited Train(const Launch& launch, at::Device device, EventSink* events,
                 const std::function<bool()>& should_stop) {
  const absl::StatusOr<std::unique_ptr<SequenceSource>> data = OpenData(launch);
  if (!data.ok()) return UserError(data.status());
  Transformer model(launch.model, launch.train.seed, device);
  Optimizer optimizer(launch.optimizer, &model.parameters());

  absl::StatusOr<std::unique_ptr<Collective>> collective = Join(RendezvousOf(launch, device));
  if (!collective.ok()) return Failure(collective.status(), 0);
  absl::StatusOr<std::optional<Resumed>> resumed =
      Resume(launch, &model.parameters(), &optimizer, collective->get(), events);
  if (!resumed.ok()) return Failure(resumed.status(), 0);

  Manifest manifest = ManifestOf(launch, device);
  if (*resumed) manifest.parent_folder = (*resumed)->folder;
  Progress progress = *resumed ? (*resumed)->progress : Progress{};
  if (const absl::Status status = ReportStart(launch, model, manifest, *resumed, events);
      !status.ok()) {
    return Failure(status, progress.step);
  }
  CheckpointWriter checkpoints(launch.checkpoint_folder, std::move(manifest));
  Loop loop({.launch = &launch,
             .model = &model,
             .optimizer = &optimizer,
             .data = data->get(),
             .collective = collective->get(),
             .events = events,
             .peak_flops_per_second = PeakFlopsPerSecond(DeviceModel(device)),
             .checkpoints = &checkpoints,
             .should_stop = should_stop},
            &progress);
  const absl::StatusOr<LoopEnd> end = loop.Run();
  if (!end.ok()) return Failure(end.status(), progress.step);
  if (*end == LoopEnd::kDrained) {
    return {kExitDrained, ExitClass::kPreempted,
            absl::StrCat("stopped at step ", progress.step, " as asked"), progress.step};
  }
  DDL_LOG(Info) << "finished step " << progress.step << ", parameters sha256 "
                << model.parameters().Sha256();
  return {0, ExitClass::kSuccess, "finished", progress.step};
}

}  // namespace

RankExited RunRank(const Launch& launch, EventSink* events,
                   const std::function<bool()>& should_stop) {
  try {
    const absl::StatusOr<at::Device> device = ParseDevice(launch.device);
    if (!device.ok()) return UserError(device.status());
    return Train(launch, *device, events, should_stop);
  } catch (const std::exception& error) {
    return ExceptionExit(error);
  }
}

}  // namespace ddl
