#include <google/protobuf/util/time_util.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "proto/ddl/v1/checkpoint.pb.h"
#include "worker/train/manifest.h"

namespace ddl {
namespace {

absl::Status BadManifest(absl::string_view rule) {
  return absl::DataLossError(absl::StrCat(kCheckpointManifestName, ": ", rule));
}

bool IsBaseName(absl::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos;
}

}  // namespace

std::string SerializeManifest(const Manifest& manifest) {
  v1::CheckpointManifest proto;
  proto.set_format_version(kCheckpointFormat);
  proto.set_run(manifest.run);
  proto.set_epoch(manifest.epoch);
  proto.set_step(manifest.step);
  proto.set_tokens(manifest.tokens);
  proto.set_active_seconds(manifest.active_seconds);
  proto.mutable_spec()->ParseFromString(manifest.spec);
  proto.set_recipe_version(manifest.recipe_version);
  proto.set_world_size(static_cast<uint32_t>(manifest.world_size));
  proto.set_threads_per_rank(static_cast<uint32_t>(manifest.threads_per_rank));
  proto.set_device(manifest.device);
  proto.set_library_versions(manifest.library_versions);
  for (const ManifestShard& shard : manifest.shards) {
    v1::CheckpointShard& out = *proto.add_shards();
    out.set_file(shard.file);
    out.set_bytes(shard.bytes);
    out.set_sha256(shard.sha256);
  }
  *proto.mutable_written() =
      google::protobuf::util::TimeUtil::NanosecondsToTimestamp(absl::ToUnixNanos(manifest.written));
  proto.set_parent_folder(manifest.parent_folder);
  proto.set_finite(manifest.finite);
  proto.set_best_val_loss(manifest.best_val_loss);
  return proto.SerializeAsString();
}

absl::StatusOr<Manifest> ParseManifest(const std::string& bytes) {
  v1::CheckpointManifest proto;
  if (!proto.ParseFromString(bytes)) return BadManifest("is no checkpoint manifest");
  if (proto.format_version() != kCheckpointFormat) {
    return BadManifest(absl::StrCat("format_version must be ", kCheckpointFormat, ", got ",
                                    proto.format_version()));
  }
  Manifest manifest{.run = proto.run(),
                    .epoch = proto.epoch(),
                    .step = proto.step(),
                    .tokens = proto.tokens(),
                    .active_seconds = proto.active_seconds(),
                    .spec = proto.spec().SerializeAsString(),
                    .recipe_version = proto.recipe_version(),
                    .world_size = proto.world_size(),
                    .threads_per_rank = proto.threads_per_rank(),
                    .device = proto.device(),
                    .library_versions = proto.library_versions(),
                    .written = absl::FromUnixNanos(
                        google::protobuf::util::TimeUtil::TimestampToNanoseconds(proto.written())),
                    .parent_folder = proto.parent_folder(),
                    .finite = proto.finite(),
                    .best_val_loss = proto.best_val_loss()};
  for (const v1::CheckpointShard& shard : proto.shards()) {
    if (!IsBaseName(shard.file())) {
      return BadManifest(
          absl::StrCat("a shard must be a file of its folder, got \"", shard.file(), "\""));
    }
    manifest.shards.push_back(
        {.file = shard.file(), .bytes = shard.bytes(), .sha256 = shard.sha256()});
  }
  return manifest;
}

}  // namespace ddl
