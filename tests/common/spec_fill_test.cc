#include "common/spec_fill.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "proto/ddl/v1/spec.pb.h"

namespace ddl {
namespace {

ConfigNode Scalar(const std::string& text) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::kScalar;
  node.text = text;
  node.place.line = 1;
  return node;
}

ConfigNode Map(const std::vector<std::pair<std::string, ConfigNode>>& entries) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::kMap;
  for (const auto& [key, value] : entries) node.entries.push_back({key, {}, value});
  return node;
}

ConfigNode List(std::vector<ConfigNode> items) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::kList;
  node.items = std::move(items);
  return node;
}

struct Filled {
  v1::ExperimentSpec spec;
  FilledKeys keys;
  ConfigErrors errors;
};

TEST_CASE("mappings go into messages, lists replace lists, and places are kept") {
  Filled filled;
  filled.spec.add_tags("old");
  FillMessage(Map({{"seed", Scalar("7")},
                   {"tags", List({Scalar("a"), Scalar("b")})},
                   {"model", Map({{"d_model", Scalar("64")}})}}),
              "", &filled.spec, &filled.keys, &filled.errors);
  CHECK(filled.errors.empty());
  CHECK(filled.spec.seed() == 7);
  CHECK(filled.spec.tags_size() == 2);
  CHECK(filled.spec.model().d_model() == 64);
  CHECK(filled.keys.places.count("model.d_model") == 1);
  CHECK(filled.keys.places.count("model") == 1);
  CHECK(filled.keys.places.count("model.n_layers") == 0);
}

TEST_CASE("one pass reports every key that cannot be read") {
  Filled filled;
  FillMessage(Map({{"sed", Scalar("7")},
                   {"tags", Scalar("a")},
                   {"model", Scalar("big")},
                   {"train", Map({{"tokens", Scalar("20Mb")}})}}),
              "", &filled.spec, &filled.keys, &filled.errors);
  const std::string message(filled.errors.ToStatus().message());
  CHECK(message.find("unknown key \"sed\" (did you mean \"seed\"?)") != std::string::npos);
  CHECK(message.find("tags: must be a list, got the text \"a\"") != std::string::npos);
  CHECK(message.find("model: must be a mapping, got the text \"big\"") != std::string::npos);
  CHECK(message.find("train.tokens: \"20Mb\" is not a token count") != std::string::npos);
  CHECK(filled.keys.failed == std::set<std::string>{"seed", "tags", "model", "train.tokens"});
}

TEST_CASE("one key is filled by its path, and a mapping is merged there") {
  Filled filled;
  filled.spec.mutable_model()->mutable_residual()->set_beta_init(0.5);
  FillPath(Map({{"kind", Scalar("ddl")}}), "model.residual", &filled.spec, &filled.keys,
           &filled.errors);
  FillPath(Scalar("3e-3"), "optim.adamw.lr", &filled.spec, &filled.keys, &filled.errors);
  CHECK(filled.errors.empty());
  CHECK(filled.spec.model().residual().kind() == "ddl");
  CHECK(filled.spec.model().residual().beta_init() == 0.5);
  CHECK(filled.spec.optim().adamw().lr() == 3e-3);
  FillPath(Scalar("1"), "optim.adamw.lrr", &filled.spec, &filled.keys, &filled.errors);
  CHECK(!filled.errors.empty());
}

}  // namespace
}  // namespace ddl
