// Makes a data folder (common/dataset.h) from text: the same input and settings give the same
// bytes, on any machine and at any time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/data_documents.h"
#include "common/dataset.h"

namespace ddl::cli {

struct DataPreparation {
  std::vector<std::string> inputs;  // Files and folders, in the order of the text.
  std::string folder;               // To be made.
  DocumentLayout layout;
  double val_share = 0.05;  // Of the documents, between 0 and 1, both excluded.
  uint64_t seed = 1;        // Of the choice of documents for validation.
  int64_t shard_tokens = 20'000'000;
  bool force = false;  // Replace another data folder.
};

struct PreparedFolder {
  Dataset dataset;
  int64_t blank_documents = 0;  // Left out.
  bool unchanged = false;       // The folder was there with the same manifest.
};

// Whether document `index`, counted from 0 over those that are not blank, is for validation: a hash
// of seed and index, so that documents behind it do not change the choice.
bool IsValidationDocument(uint64_t seed, int64_t index, double val_share);

// Writes beside `folder` and renames at the end, so that `folder` is whole or not there; an error
// leaves nothing behind. Asks `interrupted` at every document. kAlreadyExists for a folder that is
// there with other data, without `force`; kFailedPrecondition for one that is no data folder, even
// with it; kInvalidArgument for a split without documents; kCancelled; else as ReadDocuments.
absl::StatusOr<PreparedFolder> PrepareData(const DataPreparation& preparation,
                                           const std::function<bool()>& interrupted);

}  // namespace ddl::cli
