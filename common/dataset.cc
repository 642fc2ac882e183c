#include "common/dataset.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/names.h"
#include "common/status.h"
#include "common/strict_json.h"
#include "common/tokenizer.h"

namespace ddl {
namespace {

using nlohmann::json;

constexpr int kFormatVersion = 1;
constexpr int64_t kMaxManifestBytes = int64_t{16} << 20;

absl::Status Bad(absl::string_view rule) { return absl::DataLossError(rule); }

// Reads the fields of one JSON object; the first broken rule is kept, later reads give zeros.
class Fields {
 public:
  Fields(const json& object, std::string where, std::initializer_list<const char*> known)
      : object_(object), where_(std::move(where)) {
    if (!object.is_object()) {
      Break("this", "must be a mapping");
      return;
    }
    for (const auto& [key, value] : object.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) Break(key, "is unknown");
    }
  }

  std::string String(const char* key) {
    const json* const value = Find(key);
    if (value == nullptr) return "";
    if (!value->is_string() || value->get_ref<const std::string&>().empty()) {
      Break(key, "must be a string that is not empty");
      return "";
    }
    return value->get<std::string>();
  }
  std::string Digest(const char* key) {
    std::string digest = String(key);
    if (digest.size() != 64 || digest.find_first_not_of("0123456789abcdef") != std::string::npos) {
      Break(key, "must be 64 lower-case hex digits");
    }
    return digest;
  }
  int64_t Whole(const char* key, int64_t least) {
    const json* const value = Find(key);
    if (value == nullptr) return 0;
    if (!value->is_number_unsigned() || value->get<uint64_t>() > INT64_MAX ||
        value->get<int64_t>() < least) {
      Break(key, absl::StrCat("must be a whole number of at least ", least));
      return 0;
    }
    return value->get<int64_t>();
  }
  const json* Find(const char* key) {
    if (!status_.ok()) return nullptr;
    const auto found = object_.find(key);
    if (found == object_.end()) Break(key, "is missing");
    return found == object_.end() ? nullptr : &*found;
  }
  const absl::Status& status() const { return status_; }

 private:
  void Break(absl::string_view key, absl::string_view rule) {
    if (status_.ok()) status_ = Bad(absl::StrCat(where_, key, " ", rule));
  }

  const json& object_;
  std::string where_;
  absl::Status status_;
};

absl::StatusOr<DatasetFile> ParseFile(const json& object, size_t index) {
  Fields fields(object, absl::StrCat("files[", index, "]."),
                {"name", "split", "tokens", "bytes", "sha256"});
  DatasetFile file{.name = fields.String("name"),
                   .split = fields.String("split"),
                   .tokens = fields.Whole("tokens", 1),
                   .bytes = fields.Whole("bytes", kTokenShardHeaderBytes),
                   .sha256 = fields.Digest("sha256")};
  DDL_RETURN_IF_ERROR(fields.status());
  if (absl::Status named = CheckName(file.name); !named.ok()) {
    return Bad(absl::StrCat("files[", index, "].name ", named.message()));
  }
  if (file.split != kTrainSplit && file.split != kValSplit) {
    return Bad(
        absl::StrCat("files[", index, "].split must be train or val, got ", Quoted(file.split)));
  }
  return file;
}

absl::StatusOr<TokenShard> OpenShard(const Dataset& dataset, const DatasetFile& file, bool digest) {
  const std::string path = absl::StrCat(dataset.folder, "/", file.name);
  DDL_ASSIGN_OR_RETURN(TokenShard shard, TokenShard::Open(path, dataset.manifest.vocab_size));
  if (shard.size() != file.tokens || static_cast<int64_t>(shard.bytes().size()) != file.bytes) {
    return Bad(absl::StrCat(path, ": altered: the manifest says ", file.tokens, " tokens in ",
                            file.bytes, " bytes, the file has ", shard.size(), " in ",
                            shard.bytes().size()));
  }
  if (digest) {
    const std::string actual = Sha256Hex(shard.bytes());
    if (actual != file.sha256) {
      return Bad(absl::StrCat(path, ": altered: SHA-256 is ", actual, ", the manifest says ",
                              file.sha256));
    }
  }
  return shard;
}

}  // namespace

int64_t TokensOfSplit(const DatasetManifest& manifest, absl::string_view split) {
  int64_t tokens = 0;
  for (const DatasetFile& file : manifest.files) {
    if (file.split == split) tokens += file.tokens;
  }
  return tokens;
}

std::string ManifestJson(const DatasetManifest& manifest) {
  nlohmann::ordered_json root;
  root["format_version"] = kFormatVersion;
  root["tokenizer"] = {{"name", manifest.tokenizer},
                       {"sha256", manifest.tokenizer_sha256},
                       {"vocab_size", manifest.vocab_size}};
  root["documents"] = {{"train", manifest.train_documents}, {"val", manifest.val_documents}};
  root["files"] = nlohmann::ordered_json::array();
  for (const DatasetFile& file : manifest.files) {
    root["files"].push_back({{"name", file.name},
                             {"split", file.split},
                             {"tokens", file.tokens},
                             {"bytes", file.bytes},
                             {"sha256", file.sha256}});
  }
  return root.dump(2) + "\n";
}

absl::StatusOr<DatasetManifest> ParseManifest(absl::string_view text) {
  constexpr int kDepth = 3;
  DDL_ASSIGN_OR_RETURN(const json root, ParseStrictJson(text, kDepth));
  Fields top(root, "", {"format_version", "tokenizer", "documents", "files"});
  const int64_t version = top.Whole("format_version", 1);
  const json* const tokenizer_json = top.Find("tokenizer");
  const json* const documents_json = top.Find("documents");
  const json* const files_json = top.Find("files");
  DDL_RETURN_IF_ERROR(top.status());
  if (version != kFormatVersion) {
    return Bad(absl::StrCat("format_version must be ", kFormatVersion, ", got ", version));
  }
  Fields tokenizer(*tokenizer_json, "tokenizer.", {"name", "sha256", "vocab_size"});
  Fields documents(*documents_json, "documents.", {"train", "val"});
  DatasetManifest manifest{.tokenizer = tokenizer.String("name"),
                           .tokenizer_sha256 = tokenizer.Digest("sha256"),
                           .train_documents = documents.Whole("train", 0),
                           .val_documents = documents.Whole("val", 0)};
  const int64_t vocab_size = tokenizer.Whole("vocab_size", 1);
  DDL_RETURN_IF_ERROR(tokenizer.status());
  DDL_RETURN_IF_ERROR(documents.status());
  constexpr int64_t kMaxVocab = 1 << 16;  // Tokens are uint16.
  if (vocab_size > kMaxVocab) return Bad("tokenizer.vocab_size must be at most 65536");
  manifest.vocab_size = static_cast<uint32_t>(vocab_size);
  if (!files_json->is_array()) return Bad("files must be a list");
  std::set<std::string> names;
  for (size_t i = 0; i < files_json->size(); ++i) {
    DDL_ASSIGN_OR_RETURN(DatasetFile file, ParseFile((*files_json)[i], i));
    if (!names.insert(file.name).second) {
      return Bad(absl::StrCat("files[", i, "].name ", Quoted(file.name), " appears twice"));
    }
    manifest.files.push_back(std::move(file));
  }
  return manifest;
}

absl::StatusOr<Dataset> OpenDataset(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", kManifestName);
  DDL_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxManifestBytes));
  absl::StatusOr<DatasetManifest> manifest = ParseManifest(text);
  if (!manifest.ok()) return Annotate(manifest.status(), path);
  return Dataset{folder, *std::move(manifest), Sha256Hex(text)};
}

absl::StatusOr<std::vector<TokenShard>> OpenSplit(const Dataset& dataset, absl::string_view split,
                                                  bool digests) {
  std::vector<TokenShard> shards;
  for (const DatasetFile& file : dataset.manifest.files) {
    if (file.split != split) continue;
    DDL_ASSIGN_OR_RETURN(TokenShard shard, OpenShard(dataset, file, digests));
    shards.push_back(std::move(shard));
  }
  if (shards.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(dataset.folder, " has no ", split, " shards"));
  }
  return shards;
}

absl::Status VerifyDataset(const Dataset& dataset) {
  const DatasetManifest& manifest = dataset.manifest;
  if (manifest.tokenizer != kByteTokenizerName ||
      manifest.tokenizer_sha256 != ByteTokenizerSha256() || manifest.vocab_size != kByteVocabSize) {
    return Bad(absl::StrCat(dataset.folder, ": tokenizer ", Quoted(manifest.tokenizer),
                            " with SHA-256 ", manifest.tokenizer_sha256,
                            " is not the byte tokenizer of this program"));
  }
  for (const DatasetFile& file : manifest.files) {
    DDL_RETURN_IF_ERROR(OpenShard(dataset, file, /*digest=*/true).status());
  }
  return absl::OkStatus();
}

}  // namespace ddl
