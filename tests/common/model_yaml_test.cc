#include "common/model_yaml.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/architecture.h"
#include "common/files.h"
#include "common/spec_model.h"
#include "common/spec_rules.h"
#include "common/spec_yaml.h"
#include "tests/places.h"

namespace ddl {
namespace {

const std::string kConfigs = SourcePath("configs/");

std::string Model(const std::string& name) { return kConfigs + "models/" + name + ".yaml"; }
std::string Experiment(const std::string& name) {
  return kConfigs + "experiments/" + name + ".yaml";
}

uint64_t Parameters(const std::string& model, const std::vector<std::string>& overrides) {
  const auto read = ReadModelYaml(Model(model), overrides);
  INFO(read.status());
  REQUIRE(read.ok());
  return ParameterCount(ArchitectureOf(*read));
}

// A folder with files of its own.
class Folder {
 public:
  Folder() { REQUIRE(MakeFolders(path_ + "/models").ok()); }
  ~Folder() { RemoveTree(path_).IgnoreError(); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string Write(const std::string& name, const std::string& text) const {
    REQUIRE(WriteFileAtomically(path_ + "/" + name, text).ok());
    return path_ + "/" + name;
  }
  // The message of an error, with the folder's name as "F".
  std::string Short(const absl::Status& status) const {
    std::string text(status.message());
    for (size_t at = text.find(path_); at != std::string::npos; at = text.find(path_)) {
      text.replace(at, path_.size(), "F");
    }
    return text;
  }

 private:
  std::string path_ = BuildPath(absl::StrCat("model_yaml_test.", getpid()));
};

TEST_CASE("the presets have the parameters of their sources") {
  const std::vector<std::string> additive = {"model.residual.kind=additive"};
  // By hand from the shapes: V d + L (attention + QK gains + MLP + two norms) + final norm.
  CHECK(Parameters("paper-124m", additive) ==
        50304 * 768 + 12 * (4 * 768 * 768 + 2 * 128 + 3 * 768 * 2048 + 2 * 768) + 768);
  CHECK(Parameters("paper-124m", additive) == 123'590'400);
  CHECK(Parameters("paper-353m", additive) == 353'508'352);
  CHECK(Parameters("seed-88m", additive) ==
        49152 * 512 + 22 * (512 * (512 + 2 * 256 + 512) + 2 * 64 + 2 * 512 * 2048 + 2 * 512) + 512);
  CHECK(Parameters("seed-88m", additive) == 88'630'528);
}

TEST_CASE("each preset takes each residual, whose parameters are those of its parts") {
  const struct {
    const char* name;
    uint64_t d, layers;
  } presets[] = {{"paper-124m", 768, 12}, {"paper-353m", 1024, 24}, {"seed-88m", 512, 22}};
  for (const auto& [name, d, layers] : presets) {
    INFO(name);
    const uint64_t plain = Parameters(name, {"model.residual.kind=additive"});
    const auto extra = [&, preset = std::string(name)](const std::string& residual) {
      return Parameters(preset, {"model.residual=" + residual}) - plain;
    };
    const uint64_t scalar = 2 * layers * (2 * d + 2);
    CHECK(extra("{kind: ddl}") == scalar);
    CHECK(extra("{kind: write_only}") == scalar);
    // Gate d + 1 and value head 4 (d + 1); a compressor 4 d + 4 a block and one for the read-out.
    const uint64_t expanded = 2 * layers * (5 * d + 5) + (layers + 1) * (4 * d + 4);
    CHECK(extra("{kind: ddl, value_channels: 4, embed_conv: false}") == expanded);
    CHECK(extra("{kind: ddl, value_channels: 4}") == expanded + 16 * d);
    CHECK(extra("{kind: write_only, value_channels: 4}") == expanded + 16 * d);
    // A token compressor has 4 taps for each of 4 d channels.
    CHECK(extra("{kind: ddl, value_channels: 4, compress: token}") ==
          expanded + 16 * d + (layers + 1) * 12 * d);
    // Two-layer gates of 128: d 128 + 128 + 1.
    CHECK(extra("{kind: seed_deepdeltares}") == 2 * layers * (128 * d + 129 + d + 1));
    CHECK(extra("{kind: hyper_connections, dynamic: false}") == 2 * layers * (4 * 5 + 4));
    CHECK(extra("{kind: hyper_connections}") > 2 * layers * (4 * 5 + 4 + 6 * d));
  }
}

TEST_CASE("the committed experiments have the budgets and steps of their recipes") {
  const std::pair<const char*, uint64_t> budgets[] = {{"seed-8m", 8'000'000},
                                                      {"seed-20m", 20'000'000},
                                                      {"seed-100m", 100'000'000},
                                                      {"seed-1b", 1'000'000'000}};
  for (const auto& [name, tokens] : budgets) {
    INFO(name);
    const auto spec = ResolveSpec(ReadExperimentYaml(Experiment(name), {}, nullptr).value());
    REQUIRE(spec.ok());
    CHECK(spec->train().tokens() >= tokens);
    CHECK(spec->train().tokens() < tokens + spec->train().global_batch_tokens());
    CHECK(spec->optim().type() == "muon");
    CHECK(spec->optim().muon().lr() == 0.024);
    CHECK(spec->optim().adamw().lr() == 0.006);
    CHECK(spec->optim().adamw().weight_decay() == 0.2);
    CHECK(spec->optim().schedule().type() == "constant");
    CHECK(spec->model().arch() == "seed");
    CHECK(spec->model().n_layers() == 22);
  }
  for (const char* name : {"paper-124m", "paper-353m"}) {
    INFO(name);
    const auto spec = ResolveSpec(ReadExperimentYaml(Experiment(name), {}, nullptr).value());
    REQUIRE(spec.ok());
    CHECK(StepCount(*spec) == 100'000);
    CHECK(spec->train().global_batch_tokens() == 480 * 1024);
    CHECK(spec->optim().schedule().warmup_tokens() == 2000 * 480 * 1024);
    CHECK(spec->optim().adamw().beta2() == 0.95);
  }
}

TEST_CASE("a preset lies under the keys that are written, and says where each came from") {
  const Folder folder;
  const std::string model = folder.Write("models/m.yaml", "d_model: 96\nn_heads: 3\nn_layers: 5\n");
  const std::string file = folder.Write(
      "spec.yaml", "model: {preset: models/m.yaml, n_layers: 2}\ndata: {path: text}\n");
  SpecOrigins origins;
  const auto spec = ReadExperimentYaml(file, {"model.n_heads=4"}, &origins);
  REQUIRE(spec.ok());
  CHECK(spec->model().d_model() == 96);
  CHECK(spec->model().n_layers() == 2);
  CHECK(spec->model().n_heads() == 4);
  CHECK(origins.at("model.d_model").text == model + ":1:10");
  CHECK(origins.at("model.d_model").kind == OriginKind::kFile);
  CHECK(origins.at("model.n_heads").kind == OriginKind::kOverride);
  // In an override a path is taken from the current folder.
  const auto other = ReadExperimentYaml(file, {"model.preset=" + Model("paper-124m")}, nullptr);
  REQUIRE(other.ok());
  CHECK(other->model().d_model() == 768);
  CHECK(other->model().n_layers() == 2);
}

TEST_CASE("a sweep's base may name a preset too") {
  const Folder folder;
  folder.Write("models/m.yaml", "d_model: 96\nn_heads: 3\n");
  const std::string sweep = folder.Write("sweep.yaml",
                                         "base: {model: {preset: models/m.yaml}, data: {path: t}}\n"
                                         "parameters: {seed: {repeat: 2}}\n");
  const auto read = ReadSweepYaml(sweep, {});
  INFO(read.status());
  REQUIRE(read.ok());
  CHECK(read->base().model().d_model() == 96);
}

TEST_CASE("a bad preset is one error at its place") {
  const Folder folder;
  const auto refusal = [&](const std::string& preset) {
    const std::string file =
        folder.Write("spec.yaml", "data: {path: text}\nmodel:\n  preset: " + preset + "\n");
    const auto spec = ReadExperimentYaml(file, {}, nullptr);
    CHECK(absl::IsInvalidArgument(spec.status()));
    return folder.Short(spec.status());
  };
  folder.Write("odd.yaml", "d_model: 100\nn_heads: 3\n");
  CHECK(refusal("odd.yaml") ==
        "F/odd.yaml:1:10: model.d_model: d_model must be divisible by n_heads unless head_dim is "
        "given, got d_model 100 and n_heads 3");
  CHECK(absl::StartsWith(refusal("nowhere.yaml"), "F/spec.yaml:3:11: model.preset: "));
  CHECK(refusal("[a]") ==
        "F/spec.yaml:3:11: model.preset: must be the path of a model file, got a list");
  folder.Write("list.yaml", "- 1\n");
  CHECK(refusal("list.yaml") == "F/list.yaml:1:1: model.preset: must be a mapping, got a list");
  folder.Write("nested.yaml", "preset: odd.yaml\n");
  CHECK(refusal("nested.yaml") ==
        "F/nested.yaml:1:9: model.preset: a preset names no other preset");
  folder.Write("slip.yaml", "d_mdel: 64\n");
  CHECK(absl::StrContains(
      refusal("slip.yaml"),
      "F/slip.yaml:1:1: model: unknown key \"d_mdel\" (did you mean \"d_model\""));
}

TEST_CASE("a model file alone resolves as its model would in a spec") {
  const Folder folder;
  const std::string file = folder.Write("m.yaml", "d_model: 96\nn_heads: 3\nmax_seq_len: 100\n");
  const auto model = ReadModelYaml(file, {"model.residual={kind: ddl, value_channels: 2}"});
  REQUIRE(model.ok());
  CHECK(model->head_dim() == 32);
  CHECK(model->d_ff() == 256);
  CHECK(model->residual().value_channels() == 2);
  const auto tiny = ReadModelYaml(Experiment("tiny"), {"model.n_layers=3"});
  REQUIRE(tiny.ok());
  CHECK(tiny->d_model() == 64);
  CHECK(tiny->n_layers() == 3);
  const auto bad = ReadModelYaml(folder.Write("bad.yaml", "d_model: 100\nn_heads: 3\n"), {});
  CHECK(absl::StartsWith(folder.Short(bad.status()), "F/bad.yaml:1:10: model.d_model: "));
  CHECK(absl::IsInvalidArgument(ReadModelYaml(folder.Write("l.yaml", "- 1\n"), {}).status()));
  CHECK(absl::IsNotFound(ReadModelYaml("/nowhere.yaml", {}).status()));
}

}  // namespace
}  // namespace ddl
