// `ddl data prep`, `inspect` and `verify`: data folders, on this machine.
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/data_prep.h"
#include "cli/output.h"
#include "cli/terminal_text.h"
#include "cli/verbs.h"
#include "common/numbers.h"
#include "common/status.h"
#include "common/tokenizer.h"

namespace ddl::cli {
namespace {

// One line of the table and one mapping of the tree for a split.
struct SplitRow {
  std::string name;
  int64_t documents = 0;
  int64_t tokens = 0;
  int64_t bytes = 0;
  int64_t shards = 0;
};

std::vector<SplitRow> SplitsOf(const DatasetManifest& manifest) {
  std::vector<SplitRow> rows = {{std::string(kTrainSplit), manifest.train_documents},
                                {std::string(kValSplit), manifest.val_documents}};
  for (SplitRow& row : rows) {
    for (const DatasetFile& file : manifest.files) {
      if (file.split != row.name) continue;
      row.tokens += file.tokens;
      row.bytes += file.bytes;
      ++row.shards;
    }
  }
  return rows;
}

Json TreeOf(const Dataset& dataset) {
  Json tree;
  tree["folder"] = dataset.folder;
  tree["manifest_sha256"] = dataset.manifest_sha256;
  tree["tokenizer"] = {{"name", dataset.manifest.tokenizer},
                       {"sha256", dataset.manifest.tokenizer_sha256},
                       {"vocab_size", dataset.manifest.vocab_size}};
  for (const SplitRow& row : SplitsOf(dataset.manifest)) {
    tree[row.name] = {{"documents", row.documents},
                      {"tokens", row.tokens},
                      {"bytes", row.bytes},
                      {"shards", row.shards}};
  }
  return tree;
}

std::string TableOf(const Dataset& dataset, const Arguments& arguments) {
  std::vector<std::vector<Cell>> rows = {
      {{"SPLIT"}, {"DOCUMENTS"}, {"TOKENS"}, {"SHARDS"}, {"BYTES"}}};
  for (const SplitRow& row : SplitsOf(dataset.manifest)) {
    rows.push_back({{row.name},
                    {absl::StrCat(row.documents)},
                    {absl::StrCat(row.tokens)},
                    {absl::StrCat(row.shards)},
                    {BytesText(static_cast<double>(row.bytes))}});
  }
  return absl::StrCat(
      "folder     ", TerminalText(dataset.folder), "\nmanifest   ", dataset.manifest_sha256,
      "\ntokenizer  ", TerminalText(dataset.manifest.tokenizer), ", ", dataset.manifest.vocab_size,
      " tokens\n\n", TableText(rows, {false, true, true, true, true}, arguments.color));
}

absl::StatusOr<DataPreparation> ReadPreparation(const Arguments& arguments) {
  DataPreparation preparation;
  preparation.inputs = arguments.positional;
  preparation.folder = arguments.Get("out");
  if (preparation.folder.empty()) {
    return absl::InvalidArgumentError("--out DIR must say which folder to make");
  }
  preparation.layout = {.separator = arguments.Get("separator"),
                        .lines = arguments.Has("lines"),
                        .field = arguments.Get("field", "text")};
  preparation.force = arguments.Has("force");
  if (arguments.Has("val-share")) {
    DDL_ASSIGN_OR_RETURN(preparation.val_share, ParseReal(arguments.Get("val-share")));
  }
  if (arguments.Has("seed")) {
    DDL_ASSIGN_OR_RETURN(preparation.seed, ParseUnsigned(arguments.Get("seed")));
  }
  if (arguments.Has("shard-tokens")) {
    DDL_ASSIGN_OR_RETURN(preparation.shard_tokens,
                         ParseSigned(arguments.Get("shard-tokens"), NumberUnit::kTokens));
  }
  return preparation;
}

absl::StatusOr<ExitCode> RunPrep(const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const DataPreparation preparation, ReadPreparation(arguments));
  DDL_ASSIGN_OR_RETURN(const PreparedFolder prepared, PrepareData(preparation, [&] {
                         return io.interrupt != nullptr && io.interrupt->raised();
                       }));
  if (prepared.blank_documents > 0) {
    *io.err << prepared.blank_documents << " blank documents left out\n";
  }
  if (prepared.unchanged) {
    *io.err << TerminalText(prepared.dataset.folder) << " had the same data already\n";
  }
  Json tree = TreeOf(prepared.dataset);
  tree["blank_documents"] = prepared.blank_documents;
  tree["unchanged"] = prepared.unchanged;
  DDL_RETURN_IF_ERROR(
      PrintTree(tree, "folder", TableOf(prepared.dataset, arguments), arguments, io));
  return ExitCode::kOk;
}

// The first tokens of a split as text.
absl::StatusOr<std::string> SampleOf(const Dataset& dataset, absl::string_view split,
                                     uint64_t tokens) {
  if (dataset.manifest.vocab_size != kByteVocabSize) {
    return absl::FailedPreconditionError("only tokens of the byte tokenizer can be shown as text");
  }
  DDL_ASSIGN_OR_RETURN(const std::vector<TokenShard> shards, OpenSplit(dataset, split, false));
  return TextOfTokens(shards.front().tokens().subspan(0, tokens));
}

absl::StatusOr<ExitCode> RunInspect(const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const Dataset dataset, OpenDataset(arguments.positional[0]));
  Json tree = TreeOf(dataset);
  std::string table = TableOf(dataset, arguments);
  tree["files"] = Json::array();
  for (const DatasetFile& file : dataset.manifest.files) {
    tree["files"].push_back({{"name", file.name},
                             {"split", file.split},
                             {"tokens", file.tokens},
                             {"bytes", file.bytes},
                             {"sha256", file.sha256}});
  }
  if (arguments.Has("text")) {
    DDL_ASSIGN_OR_RETURN(const uint64_t tokens, ParseUnsigned(arguments.Get("text")));
    for (const absl::string_view split : {kTrainSplit, kValSplit}) {
      DDL_ASSIGN_OR_RETURN(const std::string sample, SampleOf(dataset, split, tokens));
      absl::StrAppend(&table, "\n", split, ": ", TerminalText(sample), "\n");
      tree[std::string(split)]["text"] = sample;
    }
  }
  DDL_RETURN_IF_ERROR(PrintTree(tree, "manifest_sha256", table, arguments, io));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunVerify(const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const Dataset dataset, OpenDataset(arguments.positional[0]));
  DDL_RETURN_IF_ERROR(VerifyDataset(dataset));
  Json tree = TreeOf(dataset);
  tree["files"] = dataset.manifest.files.size();
  const std::string line =
      absl::StrCat(TerminalText(dataset.folder), " is whole: ", dataset.manifest.files.size(),
                   " files, manifest ", dataset.manifest_sha256, "\n");
  DDL_RETURN_IF_ERROR(PrintTree(tree, "manifest_sha256", line, arguments, io));
  return ExitCode::kOk;
}

}  // namespace

Verb DataPrepVerb() {
  return {.name = "data prep",
          .positional = "INPUT...",
          .min_positional = 1,
          .max_positional = -1,
          .doc = "Turn text and JSON lines into a data folder",
          .more =
              "INPUT is a text file, a .jsonl or .ndjson file, or a folder of them. The same "
              "input gives the same bytes. See docs/data.md.",
          .flags = {{"out", 0, "DIR", "Folder to make"},
                    {"separator", 0, "REGEX", "Lines of a text file that part documents"},
                    {"lines", 0, "", "Every line of a text file is a document"},
                    {"field", 0, "NAME", "Field of a JSON line (default text)"},
                    {"val-share", 0, "SHARE", "Share of documents for validation (default 0.05)"},
                    {"seed", 0, "N", "Seed of the choice for validation (default 1)"},
                    {"shard-tokens", 0, "N", "Most tokens of a shard (default 20M)"},
                    {"force", 0, "", "Replace a data folder with other data"}},
          .run = RunPrep};
}

Verb DataInspectVerb() {
  return {.name = "data inspect",
          .positional = "DIR",
          .min_positional = 1,
          .max_positional = 1,
          .doc = "Show what a data folder holds",
          .flags = {{"text", 0, "N", "Also the first N tokens of each split, as text"}},
          .run = RunInspect};
}

Verb DataVerifyVerb() {
  return {.name = "data verify",
          .positional = "DIR",
          .min_positional = 1,
          .max_positional = 1,
          .doc = "Check every file of a data folder against its manifest",
          .run = RunVerify};
}

}  // namespace ddl::cli
