// manifest.pb of a checkpoint (proto/ddl/v1/checkpoint.proto) as a plain struct.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace ddl {

inline constexpr absl::string_view kCheckpointManifestName = "manifest.pb";
inline constexpr uint32_t kCheckpointFormat = 1;
inline constexpr int64_t kMaxManifestBytes = int64_t{16} << 20;

struct ManifestShard {
  std::string file;
  uint64_t bytes = 0;
  std::string sha256;
};

struct Manifest {
  std::string run;
  uint64_t epoch = 0;
  int64_t step = 0;
  int64_t tokens = 0;
  double active_seconds = 0;
  std::string spec;  // Serialized v1::ExperimentSpec.
  uint32_t recipe_version = 0;
  int64_t world_size = 1;
  int64_t threads_per_rank = 1;
  std::string device;
  std::string library_versions;
  std::vector<ManifestShard> shards;
  absl::Time written;
  std::string parent_folder;
  bool finite = true;
  double best_val_loss = 0;
};

std::string SerializeManifest(const Manifest& manifest);

// kDataLoss for bytes that are no manifest, another format version, or a shard outside the folder.
absl::StatusOr<Manifest> ParseManifest(const std::string& bytes);

}  // namespace ddl
