#include <catch2/catch.hpp>

#include "proto/ddl/v1/checkpoint.pb.h"
#include "worker/train/manifest.h"

namespace ddl {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("A manifest reads back as it was written") {
  const Manifest manifest{.run = "abcd2345",
                          .epoch = 3,
                          .step = 17,
                          .tokens = 12345,
                          .active_seconds = 1.0 / 3,
                          .recipe_version = 1,
                          .world_size = 2,
                          .threads_per_rank = 4,
                          .device = "a CPU",
                          .library_versions = "torch",
                          .shards = {{"shard-0.safetensors", 99, std::string(64, 'b')}},
                          .written = absl::FromUnixNanos(1234567890123456789),
                          .parent_folder = "abcd2345/e2/step-9",
                          .finite = true,
                          .best_val_loss = 2.5};
  const auto read = ParseManifest(SerializeManifest(manifest));
  REQUIRE(read.ok());
  CHECK(SerializeManifest(*read) == SerializeManifest(manifest));
  CHECK(read->active_seconds == 1.0 / 3);
  CHECK(read->written == manifest.written);
  CHECK(read->shards.at(0).bytes == 99);
}

TEST_CASE("A manifest of another format or with a shard elsewhere is refused") {
  v1::CheckpointManifest proto;
  proto.set_format_version(2);
  CHECK_THAT(std::string(ParseManifest(proto.SerializeAsString()).status().message()),
             Contains("format_version must be 1, got 2"));
  for (const char* name : {"", "..", "/etc/passwd", "../step-1/shard-0.safetensors"}) {
    proto.set_format_version(1);
    proto.clear_shards();
    proto.add_shards()->set_file(name);
    CHECK(absl::IsDataLoss(ParseManifest(proto.SerializeAsString()).status()));
  }
  CHECK(absl::IsDataLoss(ParseManifest("\xff\xff").status()));
}

}  // namespace
}  // namespace ddl
