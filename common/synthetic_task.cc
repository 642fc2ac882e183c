#include "common/synthetic_task.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/digest.h"

namespace ddl {
namespace {

constexpr int kSyntheticVersion = 1;

struct KindRow {
  SyntheticKind kind;
  absl::string_view name;
  int64_t elements;  // Tokens of a state-tracking task; 0 for the others.
};

constexpr std::array<KindRow, 5> kKinds = {{{SyntheticKind::kRecall, "recall", 0},
                                            {SyntheticKind::kOverwrite, "overwrite", 0},
                                            {SyntheticKind::kParity, "parity", 2},
                                            {SyntheticKind::kS3, "s3", 6},
                                            {SyntheticKind::kS5, "s5", 120}}};

const KindRow& RowOf(SyntheticKind kind) {
  const auto* const row =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const KindRow& r) { return r.kind == kind; });
  DDL_CHECK(row != kKinds.end());
  return *row;
}

}  // namespace

std::optional<SyntheticKind> ParseSyntheticKind(absl::string_view name) {
  for (const KindRow& row : kKinds) {
    if (row.name == name) return row.kind;
  }
  return std::nullopt;
}

absl::string_view SyntheticKindName(SyntheticKind kind) { return RowOf(kind).name; }

int64_t SyntheticVocabulary(const SyntheticTask& task) {
  return task.HasKeys() ? 2 * task.symbols : RowOf(task.kind).elements;
}

double SequenceBits(const SyntheticTask& task) {
  if (!task.HasKeys()) {
    return static_cast<double>(task.tokens) *
           std::log2(static_cast<double>(RowOf(task.kind).elements));
  }
  const auto pairs = static_cast<double>(task.pairs);
  const auto symbols = static_cast<double>(task.symbols);
  // Ways to choose the keys in order, the values and the questions.
  const double keys = std::lgamma(symbols + 1) - std::lgamma(symbols - pairs + 1);
  return keys / std::log(2.0) + pairs * std::log2(symbols) +
         static_cast<double>(task.Answers()) * std::log2(pairs);
}

double ChanceAccuracy(const SyntheticTask& task) {
  if (!task.HasKeys()) return 1.0 / static_cast<double>(RowOf(task.kind).elements);
  const double right_key = 1.0 / static_cast<double>(task.pairs);
  return right_key + (1.0 - right_key) / static_cast<double>(task.symbols);
}

std::string SyntheticManifest(const SyntheticTask& task) {
  std::string manifest = absl::StrCat("ddl synthetic data, version ", kSyntheticVersion, "\ntask ",
                                      SyntheticKindName(task.kind), "\ntokens ", task.tokens, "\n");
  if (task.HasKeys()) {
    absl::StrAppend(&manifest, "pairs ", task.pairs, "\nsymbols ", task.symbols, "\n");
  }
  if (task.kind == SyntheticKind::kOverwrite) {
    absl::StrAppend(&manifest, "writes ", task.writes, "\n");
  }
  return manifest;
}

std::string SyntheticSha256(const SyntheticTask& task) {
  return Sha256Hex(SyntheticManifest(task));
}

}  // namespace ddl
