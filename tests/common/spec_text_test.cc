#include <google/protobuf/util/message_differencer.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/spec_rules.h"
#include "common/spec_yaml.h"
#include "tests/places.h"

namespace ddl {
namespace {

TEST_CASE("a spec is written with its mappings indented and its texts quoted where they must be") {
  v1::ExperimentSpec spec;
  spec.set_name("tiny");
  spec.set_title("yes");
  spec.add_tags("a");
  spec.add_tags("b c");
  spec.mutable_optim()->mutable_adamw()->set_lr(3e-3);
  CHECK(WriteYaml(spec) ==
        "name: tiny\ntitle: \"yes\"\ntags: [a, \"b c\"]\noptim:\n  adamw:\n    lr: 0.003\n");
}

TEST_CASE("a resolved sweep written as YAML reads back to the same sweep") {
  v1::SweepSpec sweep;
  sweep.mutable_base()->mutable_data()->set_path("text");
  sweep.set_method("random");
  sweep.set_max_trials(12);
  const auto add = [&](const std::string& path, const std::string& distribution) {
    v1::SweepParameter* parameter = sweep.add_parameters();
    parameter->set_path(path);
    parameter->set_distribution(distribution);
    return parameter;
  };
  v1::SweepParameter* lr = add("optim.adamw.lr", "log_uniform_values");
  lr->set_min(1e-4);
  lr->set_max(1e-2);
  v1::SweepParameter* beta = add("model.residual.beta_init", "q_normal");
  beta->set_mu(1);
  beta->set_sigma(0.01);
  beta->set_q(0.001);
  v1::SweepParameter* layers = add("model.n_layers", "categorical");
  for (const double n : {2, 4}) layers->add_values()->set_number_value(n);
  for (const double p : {0.25, 0.75}) layers->add_probabilities(p);
  add("title", "constant")->add_values()->set_string_value("12");
  add("seed", "")->set_repeat(3);
  const v1::SweepSpec resolved = ResolveSweep(sweep).value();
  const std::string text = WriteYaml(resolved);
  CHECK(absl::StrContains(
      text, "  optim.adamw.lr: {distribution: log_uniform_values, min: 0.0001, max: 0.01}\n"));
  CHECK(absl::StrContains(text, "  seed: {repeat: 3}\n"));
  CHECK(absl::StrContains(text, "  title: {values: [\"12\"]}\n"));
  const std::string path = BuildPath(absl::StrCat("spec_text_test.", getpid(), ".yaml"));
  REQUIRE(WriteFileAtomically(path, text).ok());
  const auto again = ReadSweepYaml(path, {});
  unlink(path.c_str());
  INFO(text << again.status());
  REQUIRE(again.ok());
  CHECK(google::protobuf::util::MessageDifferencer::Equals(*again, resolved));
}

}  // namespace
}  // namespace ddl
