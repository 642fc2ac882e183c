// All that a rank is told, as plain numbers: launch.pb (proto/ddl/v1/launch.proto) for files that
// see LibTorch and so cannot see protobuf. launch_proto.h reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/synthetic_task.h"
#include "worker/model/model_config.h"
#include "worker/optim/optimizer_config.h"
#include "worker/optim/schedule.h"

namespace ddl {

// A committed checkpoint that this attempt may resume from.
struct CheckpointReference {
  std::string folder;  // Relative to the checkpoint root.
  int64_t step = 0;
  std::string manifest_sha256;
  uint64_t epoch = 0;
};

struct TrainConfig {
  uint64_t seed = 1;
  int64_t tokens = 0;           // Budget.
  int64_t sequence_tokens = 0;  // T
  int64_t step_sequences = 0;   // Of one step over all ranks.
  int64_t micro_sequences = 0;  // Of one forward pass.
  double grad_clip = 1.0;       // 0: none.
  bool skip_nonfinite = false;  // Else such a step ends the run.
  int64_t eval_every_tokens = 0;
  int64_t eval_tokens = 0;
  int64_t checkpoint_every_tokens = 0;
  int64_t log_every_steps = 1;
  bool gates_by_layer = true;
  int64_t threads = 1;
  double flops_per_token = 0;

  int64_t StepTokens() const { return step_sequences * sequence_tokens; }
  // Whole steps: the last one may pass the budget.
  int64_t Steps() const { return (tokens + StepTokens() - 1) / StepTokens(); }
};

struct Launch {
  std::string run;
  uint64_t epoch = 0;
  uint32_t attempt = 0;
  int64_t rank = 0;
  int64_t world_size = 1;
  std::string spec;  // Serialized v1::ExperimentSpec, for the manifest.

  ModelConfig model;
  TrainConfig train;
  OptimizerConfig optimizer;
  ScheduleConfig schedule;

  std::optional<SyntheticTask> synthetic;  // In place of a data folder.
  std::string data_folder;
  std::string data_manifest_sha256;
  std::string rank_folder;
  std::string checkpoint_root;
  std::string checkpoint_folder;                 // Of this attempt, under the root.
  std::vector<CheckpointReference> checkpoints;  // Newest first.

  std::string device = "cpu";
  std::string rendezvous_host;
  uint16_t rendezvous_port = 0;
  std::string bind_address;
  std::string lease_file;  // Empty: none.
  double orphan_ttl_seconds = 0;
};

}  // namespace ddl
