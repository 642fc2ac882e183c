#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/spec_rules.h"
#include "common/spec_yaml.h"
#include "common/sweep_expand.h"
#include "tests/places.h"

namespace ddl {
namespace {

const std::string kQuickstartSweep = SourcePath("configs/sweeps/quickstart.yaml");

// A folder with a base and a sweep, gone with the test.
class SweepFolder {
 public:
  explicit SweepFolder(const std::string& sweep) {
    CHECK(MakeFolders(folder_).ok());
    CHECK(WriteFileAtomically(folder_ + "/base.yaml", "data: {path: text}\nmodel:\n  d_model: 96\n")
              .ok());
    CHECK(WriteFileAtomically(path(), sweep).ok());
  }
  ~SweepFolder() { CHECK(RemoveTree(folder_).ok()); }
  SweepFolder(const SweepFolder&) = delete;
  SweepFolder& operator=(const SweepFolder&) = delete;
  std::string path() const { return folder_ + "/sweep.yaml"; }

  std::string Refusal(const std::vector<std::string>& overrides = {}) const {
    std::string message(ReadSweepYaml(path(), overrides).status().message());
    const std::string prefix = folder_ + "/";
    for (size_t at = message.find(prefix); at != std::string::npos; at = message.find(prefix)) {
      message.erase(at, prefix.size());
    }
    return message;
  }

 private:
  std::string folder_ = BuildPath(absl::StrCat("sweep_yaml_test.", getpid()));
};

TEST_CASE("the quickstart is three residuals of three seeds that differ in nothing else") {
  const v1::SweepSpec sweep = ReadSweepYaml(kQuickstartSweep, {}).value();
  REQUIRE(TrialCount(sweep) == 9);
  const char* labels[] = {"additive", "ddl/1", "ddl/4"};
  for (int64_t i = 0; i < 9; ++i) {
    v1::ExperimentSpec spec = Trial(sweep, i).value();
    CHECK(ResidualLabel(spec.model().residual()) == labels[i / 3]);
    CHECK(spec.seed() == static_cast<uint64_t>(1 + i % 3));
    v1::ExperimentSpec first = Trial(sweep, 0).value();
    *spec.mutable_model()->mutable_residual() = first.model().residual();
    CHECK(ArmKey(spec) == ArmKey(first));
  }
}

TEST_CASE("a base may be a file beside the sweep") {
  const SweepFolder folder("base: base.yaml\nparameters: {seed: {repeat: 2}}\n");
  const auto sweep = ReadSweepYaml(folder.path(), {});
  INFO(sweep.status());
  REQUIRE(sweep.ok());
  CHECK(sweep->base().model().d_model() == 96);
  CHECK(TrialCount(*sweep) == 2);
}

TEST_CASE("an override reaches the sweep's own key or else the base") {
  const SweepFolder folder("base: base.yaml\nparameters:\n  seed: {repeat: 2}\n");
  const auto sweep = ReadSweepYaml(
      folder.path(), {"model.d_model=192", "base.seed=7", "name=mine", "max_trials=4",
                      "parameters.optim.adamw.lr={values: [1e-3, 3e-3]}", "~parameters.seed"});
  INFO(sweep.status());
  REQUIRE(sweep.ok());
  CHECK(sweep->base().model().d_model() == 192);
  CHECK(sweep->base().seed() == 7);
  CHECK(sweep->name() == "mine");
  CHECK(TrialCount(*sweep) == 2);
  CHECK(Trial(*sweep, 1)->optim().adamw().lr() == 3e-3);
  CHECK(folder.Refusal({"model.d_modl=1"}) ==
        "override model.d_modl=1: model: unknown key \"d_modl\" (did you mean \"d_model\"?)");
}

TEST_CASE("what is wrong with a sweep or its base is reported at its own file and place") {
  CHECK(SweepFolder("base: bas.yaml\nparameters: {seed: {repeat: 2}}\n").Refusal().substr(0, 25) ==
        "sweep.yaml:1:7: base: can");
  CHECK(SweepFolder("parameters: {seed: {repeat: 2}}\n").Refusal() ==
        "sweep.yaml: base: is required");
  CHECK(SweepFolder("base: base.yaml\nmethod: gird\nparameters:\n  sed: {repeat: 2}\n").Refusal() ==
        "sweep.yaml:2:9: method: \"gird\" is not one of grid, random (did you mean \"grid\"?)\n"
        "sweep.yaml:4:3: parameters.sed: unknown key \"sed\" (did you mean \"seed\"?)");
  CHECK(SweepFolder("base: base.yaml\nearly_terminate: {}\nparameters: {seed: {repeat: 2}}\n")
            .Refusal() == "sweep.yaml:2:1: unknown key \"early_terminate\"");
  CHECK(
      SweepFolder("base: base.yaml\nmethod: random\nparameters: {seed: {repeat: 2}}\n").Refusal() ==
      "sweep.yaml: max_trials: is required for method random: the number of runs, seeds included");
  CHECK(
      SweepFolder("base: {data: {path: x}, model: {d_modl: 8}}\nparameters: {seed: {repeat: 2}}\n")
          .Refusal() ==
      "sweep.yaml:1:33: model: unknown key \"d_modl\" (did you mean \"d_model\"?)");
}

TEST_CASE("an arm whose values clash is reported at a parameter that it speaks of") {
  const SweepFolder heads("base: base.yaml\nparameters:\n  model.n_heads: {values: [3, 5]}\n");
  CHECK(heads.Refusal() ==
        "sweep.yaml:3:3: model.n_heads: d_model must be divisible by n_heads unless head_dim is "
        "given, got d_model 96 and n_heads 5 (arm 1: model.n_heads=5)");
  const SweepFolder base("base: base.yaml\nparameters: {seed: {repeat: 2}}\n");
  CHECK(base.Refusal({"model.n_layers=0"}) ==
        "override model.n_layers=0: model.n_layers: must be at least 1, got 0 (arm 0: )");
}

}  // namespace
}  // namespace ddl
