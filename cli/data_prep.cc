#include "cli/data_prep.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/status.h"
#include "common/tokenizer.h"

namespace ddl::cli {
namespace {

// The tokens of one split on their way into shards.
class SplitWriter {
 public:
  SplitWriter(std::string folder, absl::string_view split, int64_t shard_tokens)
      : folder_(std::move(folder)),
        split_(split),
        shard_tokens_(static_cast<size_t>(shard_tokens)) {}

  absl::Status Add(absl::string_view document, DatasetManifest* manifest) {
    AppendDocument(document, &pending_);
    ++documents_;
    size_t written = 0;
    for (; pending_.size() - written >= shard_tokens_; written += shard_tokens_) {
      DDL_RETURN_IF_ERROR(
          WriteShard(absl::MakeConstSpan(pending_).subspan(written, shard_tokens_), manifest));
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(written));
    return absl::OkStatus();
  }
  absl::Status Finish(DatasetManifest* manifest) {
    return pending_.empty() ? absl::OkStatus() : WriteShard(pending_, manifest);
  }
  int64_t documents() const { return documents_; }

 private:
  absl::Status WriteShard(absl::Span<const uint16_t> tokens, DatasetManifest* manifest) {
    const std::string name = absl::StrFormat("%s-%03d.bin", split_, shards_++);
    DDL_ASSIGN_OR_RETURN(const WrittenFile file,
                         WriteTokenShard(absl::StrCat(folder_, "/", name), tokens));
    manifest->files.push_back(
        {name, split_, static_cast<int64_t>(tokens.size()), file.bytes, file.sha256});
    return absl::OkStatus();
  }

  std::string folder_;
  std::string split_;
  size_t shard_tokens_;
  std::vector<uint16_t> pending_;
  int shards_ = 0;
  int64_t documents_ = 0;
};

absl::Status CheckSettings(const DataPreparation& preparation) {
  DDL_RETURN_IF_ERROR(CheckLayout(preparation.layout));
  if (!(preparation.val_share > 0 && preparation.val_share < 1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the validation share must be above 0 and below 1, got ", preparation.val_share));
  }
  constexpr int64_t kMinShardTokens = 1024;
  constexpr int64_t kMaxShardTokens = 1'000'000'000;
  if (preparation.shard_tokens < kMinShardTokens || preparation.shard_tokens > kMaxShardTokens) {
    return absl::InvalidArgumentError(absl::StrCat("a shard must have ", kMinShardTokens, " to ",
                                                   kMaxShardTokens, " tokens, got ",
                                                   preparation.shard_tokens));
  }
  return absl::OkStatus();
}

// Whether the folder may be made or replaced; what stands there is never removed unless it is a
// data folder itself.
absl::Status CheckTarget(const DataPreparation& preparation) {
  if (!FileExists(preparation.folder)) return absl::OkStatus();
  DDL_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(preparation.folder));
  if (names.empty() || OpenDataset(preparation.folder).ok()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(preparation.folder, " is there and is not a data folder; it is left alone"));
}

absl::StatusOr<int64_t> WriteSplits(const DataPreparation& preparation, const std::string& folder,
                                    const std::function<bool()>& interrupted,
                                    DatasetManifest* manifest) {
  DDL_ASSIGN_OR_RETURN(const std::vector<std::string> files, ExpandInputs(preparation.inputs));
  SplitWriter train(folder, kTrainSplit, preparation.shard_tokens);
  SplitWriter val(folder, kValSplit, preparation.shard_tokens);
  int64_t index = 0;
  int64_t blank = 0;
  for (const std::string& file : files) {
    DDL_RETURN_IF_ERROR(
        ReadDocuments(file, preparation.layout, [&](absl::string_view document) -> absl::Status {
          if (interrupted()) return absl::CancelledError("interrupted");
          if (document.empty()) {
            ++blank;
            return absl::OkStatus();
          }
          const bool is_val =
              IsValidationDocument(preparation.seed, index++, preparation.val_share);
          return (is_val ? val : train).Add(document, manifest);
        }));
  }
  DDL_RETURN_IF_ERROR(train.Finish(manifest));
  DDL_RETURN_IF_ERROR(val.Finish(manifest));
  manifest->train_documents = train.documents();
  manifest->val_documents = val.documents();
  if (train.documents() == 0 || val.documents() == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "both splits need a document: of ", index, ", ", train.documents(), " fell to train and ",
        val.documents(), " to val at a share of ", preparation.val_share,
        "; part the text into more documents or choose another share or seed"));
  }
  return blank;
}

// Puts `made` in the place of `folder`, in one step, and removes what was there.
absl::Status Replace(const std::string& made, const std::string& folder) {
  if (renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0) {
    return RemoveTree(made);
  }
  return rename(made.c_str(), folder.c_str()) == 0 ? absl::OkStatus()
                                                   : ErrnoStatus("cannot rename to", folder);
}

}  // namespace

bool IsValidationDocument(uint64_t seed, int64_t index, double val_share) {
  // The first 53 bits of a digest are uniform and the same everywhere.
  const std::string digest = Sha256Hex(absl::StrCat("split/", seed, "/", index));
  const uint64_t bits = std::stoull(digest.substr(0, 16), nullptr, 16) >> 11;
  constexpr double kTwoTo53 = 9007199254740992;
  return static_cast<double>(bits) / kTwoTo53 < val_share;
}

absl::StatusOr<PreparedFolder> PrepareData(const DataPreparation& preparation,
                                           const std::function<bool()>& interrupted) {
  DDL_RETURN_IF_ERROR(CheckSettings(preparation));
  DDL_RETURN_IF_ERROR(CheckTarget(preparation));
  std::string folder = preparation.folder;
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  const std::string made = absl::StrCat(folder, ".tmp.", getpid());
  DDL_RETURN_IF_ERROR(RemoveTree(made));
  const auto sweep = absl::MakeCleanup([&] { RemoveTree(made).IgnoreError(); });
  DDL_RETURN_IF_ERROR(MakeFolders(made));

  DatasetManifest manifest{.tokenizer = std::string(kByteTokenizerName),
                           .tokenizer_sha256 = ByteTokenizerSha256(),
                           .vocab_size = kByteVocabSize};
  DDL_ASSIGN_OR_RETURN(const int64_t blank, WriteSplits(preparation, made, interrupted, &manifest));
  const std::string json = ManifestJson(manifest);
  DDL_RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(made, "/", kManifestName), json));

  const absl::StatusOr<Dataset> old = OpenDataset(folder);
  if (old.ok() && old->manifest_sha256 == Sha256Hex(json) && VerifyDataset(*old).ok()) {
    return PreparedFolder{*old, blank, /*unchanged=*/true};
  }
  if (old.ok() && !preparation.force) {
    return absl::AlreadyExistsError(
        absl::StrCat(folder, " is there with other or damaged data; --force replaces it"));
  }
  DDL_RETURN_IF_ERROR(Replace(made, folder));
  const std::string parent = std::filesystem::path(folder).parent_path().string();
  DDL_RETURN_IF_ERROR(SyncFolder(parent.empty() ? "." : parent));
  DDL_ASSIGN_OR_RETURN(Dataset dataset, OpenDataset(folder));
  return PreparedFolder{std::move(dataset), blank};
}

}  // namespace ddl::cli
