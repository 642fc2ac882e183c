#include "worker/data/training_text.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/dataset.h"
#include "common/status.h"

namespace ddl {
namespace {

absl::Status CheckSize(const std::string& folder, absl::string_view split, int64_t have,
                       int64_t need) {
  if (have >= need) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(folder, ": split ", split, " must have at least ", need, " tokens, got ", have));
}

}  // namespace

absl::StatusOr<TrainingText> OpenTrainingText(const TextRequirements& requirements) {
  const std::string& folder = requirements.folder;
  DDL_ASSIGN_OR_RETURN(const Dataset dataset, OpenDataset(folder));
  const std::string& wanted = requirements.manifest_sha256;
  if (!wanted.empty() && wanted != dataset.manifest_sha256) {
    return absl::FailedPreconditionError(absl::StrCat(folder, "/", kManifestName,
                                                      ": data.manifest_sha256 must be ", wanted,
                                                      ", got ", dataset.manifest_sha256));
  }
  if (int64_t{dataset.manifest.vocab_size} > requirements.vocab_size) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder, "/", kManifestName, ": model.vocab_size must be at least ",
                     dataset.manifest.vocab_size, ", got ", requirements.vocab_size));
  }
  DDL_ASSIGN_OR_RETURN(std::vector<TokenShard> train,
                       OpenSplit(dataset, kTrainSplit, /*digests=*/true));
  DDL_ASSIGN_OR_RETURN(std::vector<TokenShard> val,
                       OpenSplit(dataset, kValSplit, /*digests=*/true));
  TrainingText text{TokenText(std::move(train)), TokenText(std::move(val))};
  DDL_RETURN_IF_ERROR(
      CheckSize(folder, kTrainSplit, text.train.size(), requirements.sequence_tokens + 1));
  DDL_RETURN_IF_ERROR(CheckSize(folder, kValSplit, text.val.size(), 2));
  return text;
}

}  // namespace ddl
