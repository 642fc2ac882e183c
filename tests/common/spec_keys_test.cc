#include "common/spec_keys.h"

#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <string>

#include "proto/ddl/v1/launch.pb.h"
#include "proto/ddl/v1/spec.pb.h"
#include "proto/ddl/v1/sweep.pb.h"

namespace ddl {
namespace {

ConfigNode ScalarNode(const std::string& text,
                      ConfigNode::Style style = ConfigNode::Style::kPlain) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::kScalar;
  node.text = text;
  node.style = style;
  return node;
}

std::string Set(const std::string& path, const ConfigNode& node, v1::ExperimentSpec* spec) {
  const auto field = FindPath(*v1::ExperimentSpec::descriptor(), path);
  google::protobuf::Message* message = spec;
  if (path.rfind("train.", 0) == 0) message = spec->mutable_train();
  if (path.rfind("model.", 0) == 0) message = spec->mutable_model();
  const absl::Status status = SetScalar(node, **field, message);
  return std::string(status.message());
}

std::map<std::string, std::string> Broken(const v1::ExperimentSpec& spec) {
  std::map<std::string, std::string> broken;
  CheckKeys(spec, "",
            [&](const std::string& path, const std::string& rule) { broken[path] = rule; });
  return broken;
}

v1::ExperimentSpec Defaults() {
  v1::ExperimentSpec spec;
  FillDefaults(&spec);
  spec.mutable_data()->set_path("text");
  return spec;
}

TEST_CASE("every default in the protocol is inside its own range") {
  CHECK(Broken(Defaults()).empty());
  v1::SweepSpec sweep;
  FillDefaults(&sweep, {"base"});
  CheckKeys(sweep, "",
            [](const std::string& path, const std::string& rule) { FAIL(path << ": " << rule); },
            {"base", "parameters"});
}

TEST_CASE("every key has a sentence for people, and a number with tokens in its name its unit") {
  const google::protobuf::Descriptor* mappings[] = {
      v1::ExperimentSpec::descriptor(),   v1::ModelSpec::descriptor(),
      v1::ResidualSpec::descriptor(),     v1::DataSpec::descriptor(),
      v1::TrainSpec::descriptor(),        v1::OptimSpec::descriptor(),
      v1::AdamWSpec::descriptor(),        v1::ScheduleSpec::descriptor(),
      v1::EvalSpec::descriptor(),         v1::CheckpointSpec::descriptor(),
      v1::ParallelSpec::descriptor(),     v1::ResourceSpec::descriptor(),
      v1::ObservabilitySpec::descriptor()};
  for (const auto* mapping : mappings) {
    for (const std::string& name : KeysOf(*mapping)) {
      INFO(mapping->name() << "." << name);
      CHECK(!KeyOf(*FindKey(*mapping, name)).doc().empty());
      const bool tokens = name.find("tokens") != std::string::npos;
      CHECK((UnitOf(*FindKey(*mapping, name)) == NumberUnit::kTokens) == tokens);
    }
  }
}

TEST_CASE("a path names one key, and a slip in any part of it is met with a suggestion") {
  const auto& root = *v1::ExperimentSpec::descriptor();
  CHECK((*FindPath(root, "model.residual.kind"))->name() == "kind");
  CHECK(FindPath(root, "modle.d_model").status().message() ==
        "unknown key \"modle\" (did you mean \"model\"?)");
  CHECK(FindPath(root, "optim.adamw.lrr").status().message() ==
        "unknown key \"lrr\" (did you mean \"lr\"?)");
  CHECK(FindPath(root, "seed.x").status().message() ==
        "seed is not a mapping and has no key \"x\"");
  CHECK(FindPath(root, "zzzzzzzz").status().message() == "unknown key \"zzzzzzzz\"");
  CHECK(!FindPath(root, "").ok());
  CHECK(!FindPath(root, "model..d_model").ok());
}

TEST_CASE("scalars are read by the type of their key") {
  v1::ExperimentSpec spec;
  CHECK(Set("train.tokens", ScalarNode("20M"), &spec).empty());
  CHECK(spec.train().tokens() == 20'000'000);
  CHECK(Set("model.qk_norm", ScalarNode("false"), &spec).empty());
  CHECK(Set("title", ScalarNode("12", ConfigNode::Style::kQuoted), &spec).empty());
  CHECK(Set("tags", ScalarNode("a"), &spec).empty());
  CHECK(spec.tags(0) == "a");
}

TEST_CASE("a wrong type is met with what was expected and what was written") {
  v1::ExperimentSpec spec;
  CHECK(Set("title", ScalarNode("12"), &spec) == "must be a text, got 12; write \"12\"");
  CHECK(Set("model.qk_norm", ScalarNode("yes"), &spec) == "must be true or false, got yes");
  CHECK(Set("model.d_model", ScalarNode("64", ConfigNode::Style::kQuoted), &spec) ==
        "must be a number, got the text \"64\"; write it without quotes");
  CHECK(Set("model.d_model", ScalarNode("wide"), &spec) ==
        "\"wide\" is not a number such as 12, 1_000 or 2e7");
  CHECK(Set("model.d_model", ScalarNode("1.5"), &spec) == "\"1.5\" is not a whole number");
  CHECK(Set("model.d_model", ScalarNode("5_000_000_000"), &spec) ==
        "\"5_000_000_000\" is out of range");
  ConfigNode list;
  list.kind = ConfigNode::Kind::kList;
  CHECK(Set("model.d_model", list, &spec) == "must be a number, got a list");
}

TEST_CASE("the ends of a range belong to it unless it says above or below") {
  v1::ExperimentSpec spec = Defaults();
  spec.mutable_model()->set_d_model(8);
  spec.mutable_optim()->mutable_adamw()->set_beta1(0);
  CHECK(Broken(spec).empty());
  spec.mutable_model()->set_d_model(7);
  spec.mutable_optim()->mutable_adamw()->set_beta1(1);
  spec.mutable_optim()->mutable_adamw()->set_lr(0);
  spec.mutable_resources()->set_priority(-1);
  const auto broken = Broken(spec);
  CHECK(broken.size() == 4);
  CHECK(broken.at("model.d_model") == "must be at least 8, got 7");
  CHECK(broken.at("optim.adamw.beta1") == "must be below 1, got 1");
  CHECK(broken.at("optim.adamw.lr") == "must be above 0, got 0");
  CHECK(broken.at("resources.priority") == "must be at least 0, got -1");
}

TEST_CASE("numbers must be finite") {
  v1::ExperimentSpec spec = Defaults();
  spec.mutable_train()->set_grad_clip(std::numeric_limits<double>::infinity());
  spec.mutable_model()->set_logit_scale(std::numeric_limits<double>::quiet_NaN());
  const auto broken = Broken(spec);
  CHECK(broken.size() == 2);
  CHECK(broken.at("train.grad_clip") == "must be finite");
}

TEST_CASE("words, names, texts, paths and lists have their rules") {
  v1::ExperimentSpec spec = Defaults();
  spec.mutable_model()->mutable_residual()->set_kind("aditive");
  spec.set_name("Big");
  spec.set_title("a\nb");
  spec.mutable_data()->set_path("../secret");
  const std::string tag = "t";  // A literal here meets a false warning of gcc 12 (-Wrestrict).
  for (int i = 0; i < 33; ++i) spec.add_tags(tag);
  const auto broken = Broken(spec);
  CHECK(broken.size() == 5);
  CHECK(broken.at("model.residual.kind") ==
        "\"aditive\" is not one of additive, ddl, write_only, seed_deepdeltares, "
        "seed_write_only, hyper_connections (did you mean \"additive\"?)");
  CHECK(broken.at("tags") == "must have at most 32 items, got 33");
  CHECK(broken.count("name") + broken.count("title") + broken.count("data.path") == 3);
}

TEST_CASE("a key without a default is required, unless it is computed") {
  v1::ExperimentSpec spec = Defaults();
  spec.mutable_data()->clear_path();  // Computed for synthetic data (common/synthetic_spec.h).
  CHECK(Broken(spec).empty());
  // A message without options has neither defaults nor computed keys.
  v1::CommittedCheckpoint checkpoint;
  checkpoint.set_step(3);
  std::map<std::string, std::string> broken;
  CheckKeys(checkpoint, "",
            [&](const std::string& path, const std::string& rule) { broken[path] = rule; });
  CHECK(broken.size() == 3);
  CHECK(broken.at("folder") == "is required: ");
}

}  // namespace
}  // namespace ddl
