// `ddl validate`: is a spec right, what will it train, and where does each key come from?
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/output.h"
#include "cli/spec_explained.h"
#include "cli/spec_source.h"
#include "cli/terminal_text.h"
#include "cli/verbs.h"
#include "common/architecture.h"
#include "common/spec_model.h"
#include "common/spec_rules.h"
#include "common/status.h"
#include "common/sweep_expand.h"

namespace ddl::cli {
namespace {

bool UsesMuon(const v1::ExperimentSpec& spec) { return spec.optim().type() == "muon"; }

Json CostOf(const v1::ExperimentSpec& spec) {
  const Architecture shape = ArchitectureOf(spec.model());
  const MemoryEstimate memory =
      EstimateMemory(shape, spec.train().micro_batch_sequences(), UsesMuon(spec));
  Json cost;
  cost["residual"] = ResidualLabel(spec.model().residual());
  cost["residual_note"] = std::string(ResidualNote(shape.residual));
  cost["parameters"] = ParameterCount(shape);
  cost["flops_per_token"] = FlopsPerToken(shape);
  cost["training_flops"] = FlopsPerToken(shape) * static_cast<double>(spec.train().tokens());
  cost["memory_bytes_per_rank"] = memory.total_bytes;
  cost["steps"] = StepCount(spec);
  cost["tokens"] = spec.train().tokens();
  return cost;
}

std::string CostText(const Json& cost, const Arguments& arguments) {
  std::string residual = CellText(cost["residual"]);
  const std::string note = CellText(cost["residual_note"]);
  if (!note.empty()) absl::StrAppend(&residual, " (", note, ")");
  return TableText(
      {{{"residual"}, {residual}},
       {{"parameters"}, {CountText(cost["parameters"].get<double>())}},
       {{"FLOPs per token"}, {CountText(cost["flops_per_token"].get<double>())}},
       {{"training FLOPs"}, {CountText(cost["training_flops"].get<double>())}},
       {{"memory of a rank"}, {BytesText(cost["memory_bytes_per_rank"].get<double>())}},
       {{"steps"}, {CellText(cost["steps"])}},
       {{"tokens"}, {CountText(cost["tokens"].get<double>())}}},
      {false, false}, arguments.color);
}

// Parameters, operations and memory of every part of the model, in order.
Json PartsOf(const v1::ExperimentSpec& spec) {
  const Architecture shape = ArchitectureOf(spec.model());
  const int64_t tokens = spec.train().micro_batch_sequences() * shape.max_seq_len;
  Json parts = Json::array();
  for (const PartCost& part : CostByPart(shape, UsesMuon(spec))) {
    const MemoryEstimate memory = PartMemory(part, tokens);
    parts.push_back({{"part", part.name},
                     {"parameters", part.parameters},
                     {"forward_flops_per_token", part.forward_flops},
                     {"backward_flops_per_token", part.backward_flops},
                     {"weight_bytes", memory.parameter_bytes},
                     {"gradient_bytes", memory.gradient_bytes},
                     {"optimizer_bytes", memory.optimizer_bytes},
                     {"activation_bytes", memory.activation_bytes}});
  }
  return parts;
}

std::string PartsText(const Json& parts, const Arguments& arguments) {
  std::vector<std::vector<Cell>> rows = {{{"PART"},
                                          {"PARAMETERS"},
                                          {"FORWARD FLOPS/TOKEN"},
                                          {"BACKWARD"},
                                          {"WEIGHTS"},
                                          {"GRADIENTS"},
                                          {"OPTIMIZER"},
                                          {"ACTIVATIONS"}}};
  constexpr std::array kCounts = {"parameters", "forward_flops_per_token",
                                  "backward_flops_per_token"};
  constexpr std::array kBytes = {"weight_bytes", "gradient_bytes", "optimizer_bytes",
                                 "activation_bytes"};
  Json sums = {{"part", "all"}};
  const auto add_row = [&](const Json& part) {
    std::vector<Cell> row = {{CellText(part["part"])}};
    for (const char* key : kCounts) row.push_back({CountText(part[key].get<double>())});
    for (const char* key : kBytes) row.push_back({BytesText(part[key].get<double>())});
    rows.push_back(std::move(row));
  };
  const auto add_up = [&](const char* key, const Json& part) {
    sums[key] = sums.value(key, 0.0) + part[key].get<double>();
  };
  for (const Json& part : parts) {
    add_row(part);
    for (const char* key : kCounts) add_up(key, part);
    for (const char* key : kBytes) add_up(key, part);
  }
  add_row(sums);
  return TableText(rows, {false, true, true, true, true, true, true, true}, arguments.color);
}

// The spec that stands for the file: the run itself, or the first run of a sweep.
absl::StatusOr<v1::ExperimentSpec> ShownSpec(const SpecSource& source) {
  if (source.kind == SpecFileKind::kExperiment) return source.specs.back();
  return Trial(source.sweep, 0);
}

absl::StatusOr<ExitCode> PrintResult(const SpecSource& source, const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const v1::ExperimentSpec spec, ShownSpec(source));
  const bool is_sweep = source.kind == SpecFileKind::kSweep;
  const int64_t runs =
      is_sweep ? TrialCount(source.sweep) : static_cast<int64_t>(source.specs.size());
  Json tree;
  tree["file"] = arguments.positional[0];
  tree["kind"] = is_sweep ? "sweep" : "experiment";
  tree["runs"] = runs;
  tree["cost"] = CostOf(spec);
  std::string text =
      absl::StrCat(arguments.positional[0], ": a valid ", is_sweep ? "sweep" : "experiment", " of ",
                   runs, runs == 1 ? " run" : " runs", is_sweep ? "; its first:\n" : "\n",
                   CostText(tree["cost"], arguments));
  if (arguments.Has("explain")) {
    tree["parts"] = PartsOf(spec);
    absl::StrAppend(&text, "\n", PartsText(tree["parts"], arguments));
    tree["keys"] = Json::array();
    std::vector<std::vector<Cell>> rows = {{{"KEY"}, {"VALUE"}, {"FROM"}, {"MEANING"}}};
    for (const ExplainedKey& key : Explain(spec, source.origins)) {
      const std::string origin = is_sweep ? "sweep" : key.origin;
      tree["keys"].push_back(
          {{"key", key.path}, {"value", key.value}, {"origin", origin}, {"doc", key.doc}});
      rows.push_back({{key.path}, {key.value.empty() ? "-" : key.value}, {origin}, {key.doc}});
    }
    absl::StrAppend(&text, "\n", TableText(rows, {false, false, false, false}, arguments.color));
  }
  for (const std::string& warning : source.warnings) {
    *io.err << "ddl: warning: " << TerminalText(warning, false) << "\n";
  }
  tree["warnings"] = source.warnings;
  DDL_RETURN_IF_ERROR(PrintTree(tree, "file", text, arguments, io));
  return arguments.Has("strict") && !source.warnings.empty() ? ExitCode::kFindings : ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunValidate(const Arguments& arguments, Io& io) {
  const std::vector<std::string> overrides(arguments.positional.begin() + 1,
                                           arguments.positional.end());
  const auto source = ReadSpecSource(arguments.positional[0], overrides, arguments, io);
  if (!source.ok()) return PrintSpecErrors(source.status(), io);
  return PrintResult(*source, arguments, io);
}

}  // namespace

Verb ValidateVerb() {
  return {.name = "validate",
          .positional = "SPEC [KEY=VALUE...]",
          .min_positional = 1,
          .max_positional = -1,
          .doc = "Check a spec and show what it costs, without a coordinator",
          .more =
              "SPEC is an experiment or a sweep. Errors name file, line, column and key.\n"
              "A.B=V sets a key, +A.B=V one that the file lacks, ~A.B removes one.",
          .flags = {{"explain", 0, "",
                     "What each part of the model costs, and every key with its origin"},
                    {"strict", 0, "", "Exit with 8 when there are warnings"},
                    DataRootFlag()},
          .run = RunValidate};
}

}  // namespace ddl::cli
