// A data folder made by `ddl data prep`: token shards and manifest.json, which names every file
// with its digest. SHA-256 of manifest.json is the identity of the whole folder, because it covers
// every byte that a run can see.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/token_shard.h"

namespace ddl {

inline constexpr absl::string_view kManifestName = "manifest.json";
inline constexpr absl::string_view kTrainSplit = "train";
inline constexpr absl::string_view kValSplit = "val";

struct DatasetFile {
  std::string name;  // In the folder: no slash.
  std::string split;
  int64_t tokens = 0;
  int64_t bytes = 0;
  std::string sha256;
};

struct DatasetManifest {
  std::string tokenizer;
  std::string tokenizer_sha256;
  uint32_t vocab_size = 0;
  int64_t train_documents = 0;
  int64_t val_documents = 0;
  std::vector<DatasetFile> files;  // Shards of a split in the order of the text.
};

int64_t TokensOfSplit(const DatasetManifest& manifest, absl::string_view split);

// Deterministic: equal manifests give equal bytes.
std::string ManifestJson(const DatasetManifest& manifest);
// kDataLoss naming the field and the rule. Unknown fields are errors.
absl::StatusOr<DatasetManifest> ParseManifest(absl::string_view json);

struct Dataset {
  std::string folder;
  DatasetManifest manifest;
  std::string manifest_sha256;
};

// Reads the manifest alone. kNotFound when the folder has none; kDataLoss for a bad one.
absl::StatusOr<Dataset> OpenDataset(const std::string& folder);

// The shards of a split, mapped, in order, each with the number of tokens and bytes that the
// manifest says and no token beyond the vocabulary. With `digests`, also with the SHA-256.
// kNotFound or kDataLoss for the first bad file; kFailedPrecondition for a split without files.
absl::StatusOr<std::vector<TokenShard>> OpenSplit(const Dataset& dataset, absl::string_view split,
                                                  bool digests);

// Every file of the manifest with its digest, and that the tokenizer is one that this program has.
absl::Status VerifyDataset(const Dataset& dataset);

}  // namespace ddl
