#include "common/synthetic_spec.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/names.h"

namespace ddl {
namespace {

const char* const kTask = "data.synthetic.task";
const char* const kPairs = "data.synthetic.pairs";
const char* const kSymbols = "data.synthetic.symbols";
const char* const kWrites = "data.synthetic.writes";
const char* const kLength = "model.max_seq_len";

void CheckSizes(const SyntheticTask& task, const RequireRule& require) {
  const absl::string_view name = SyntheticKindName(task.kind);
  if (task.HasKeys()) {
    require(task.pairs <= task.symbols, {kPairs, kSymbols},
            absl::StrCat("pairs must be at most symbols, since keys differ, got ", task.pairs,
                         " of ", task.symbols));
    require(task.Answers() >= 1, {kLength, kPairs, kWrites, kTask},
            absl::StrCat("max_seq_len must be above the ", task.Preamble(), " tokens that ", name,
                         " writes before it asks, got ", task.tokens));
  }
  require(SequenceBits(task) >= kLeastSequenceBits, {kLength, kPairs, kSymbols, kTask},
          absl::StrCat(name, " must have at least 2^", kLeastSequenceBits,
                       " different sequences, got 2^", std::floor(SequenceBits(task)),
                       " of max_seq_len ", task.tokens));
}

void ResolveIdentity(const SyntheticTask& task, v1::ExperimentSpec* spec,
                     const RequireRule& require) {
  const absl::string_view name = SyntheticKindName(task.kind);
  v1::DataSpec& data = *spec->mutable_data();
  const std::string path = absl::StrCat("synthetic/", name);
  if (!data.has_path()) data.set_path(path);
  require(data.path() == path, {"data.path", kTask},
          absl::StrCat("path must be left out with data.synthetic.task ", name, ", got ",
                       Quoted(data.path())));

  const std::string digest = SyntheticSha256(task);
  if (data.manifest_sha256().empty()) data.set_manifest_sha256(digest);
  require(data.manifest_sha256() == digest,
          {"data.manifest_sha256", kTask, kPairs, kSymbols, kWrites, kLength},
          absl::StrCat("manifest_sha256 must be that of the synthetic data, ", digest, ", got ",
                       Quoted(data.manifest_sha256())));

  v1::ModelSpec& model = *spec->mutable_model();
  const int64_t vocabulary = SyntheticVocabulary(task);
  if (!model.has_vocab_size()) model.set_vocab_size(static_cast<uint32_t>(vocabulary));
  require(model.vocab_size() >= vocabulary, {"model.vocab_size", kTask, kSymbols},
          absl::StrCat("vocab_size must be at least ", vocabulary, ", the vocabulary of ", name,
                       ", got ", model.vocab_size()));
}

}  // namespace

std::optional<SyntheticTask> SyntheticTaskOf(const v1::ExperimentSpec& spec) {
  const v1::SyntheticSpec& synthetic = spec.data().synthetic();
  const std::optional<SyntheticKind> kind = ParseSyntheticKind(synthetic.task());
  if (!kind) return std::nullopt;
  return SyntheticTask{.kind = *kind,
                       .tokens = spec.model().max_seq_len(),
                       .pairs = synthetic.pairs(),
                       .symbols = synthetic.symbols(),
                       .writes = synthetic.writes()};
}

void ResolveDataSource(v1::ExperimentSpec* spec, const RequireRule& require) {
  const std::optional<SyntheticTask> task = SyntheticTaskOf(*spec);
  if (!task) {
    require(spec->data().has_path(), {"data.path"},
            "is required, unless data.synthetic.task is given: a folder made by `ddl data prep`");
    return;
  }
  CheckSizes(*task, require);
  ResolveIdentity(*task, spec, require);
}

}  // namespace ddl
