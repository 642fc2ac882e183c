#include "common/sweep_reader.h"

#include <catch2/catch.hpp>
#include <string>

#include "common/yaml.h"

namespace ddl {
namespace {

struct Read {
  v1::SweepSpec sweep;
  FilledKeys filled;
  std::string errors;
};

Read ReadText(const std::string& text) {
  Read read;
  ConfigErrors errors;
  const ConfigNode root = ParseYaml(text, "f", &errors);
  ReadParameters(root, &read.sweep, &read.filled, &errors);
  read.errors = std::string(errors.ToStatus().message());
  return read;
}

TEST_CASE("values are carried as the type of their key") {
  const Read read = ReadText(
      "train.tokens: {values: [1M, 2e6, 3_000_000]}\n"
      "model.residual: {values: [{kind: additive}, {kind: ddl, value_channels: 4}]}\n"
      "model.qk_norm: {value: false}\n"
      "tags: {values: [[a, b], [c]]}\n"
      "seed: {values: [9007199254740993]}\n");
  CHECK(read.errors.empty());
  CHECK(read.sweep.parameters(0).values(0).number_value() == 1e6);
  CHECK(read.sweep.parameters(0).values(2).number_value() == 3e6);
  const auto& mapping = read.sweep.parameters(1).values(1).struct_value().fields();
  CHECK(mapping.size() == 2);
  CHECK(mapping.at("kind").string_value() == "ddl");
  CHECK(mapping.at("value_channels").number_value() == 4);
  CHECK(read.sweep.parameters(2).values(0).has_bool_value());
  CHECK(read.sweep.parameters(3).values(0).list_value().values_size() == 2);
  CHECK(read.sweep.parameters(4).values(0).string_value() == "9007199254740993");
}

TEST_CASE("a distribution that is not written is inferred from the key") {
  const Read read = ReadText(
      "optim.adamw.lr: {min: 0, max: 1}\n"
      "model.n_layers: {min: 1, max: 4}\n"
      "train.tokens: {min: 1M, max: 8M, q: 1M, distribution: q_uniform}\n"
      "model.residual.beta_init: {distribution: normal, mu: 1}\n"
      "seed: {repeat: 3}\n");
  CHECK(read.errors.empty());
  CHECK(read.sweep.parameters(0).distribution() == "uniform");
  CHECK(read.sweep.parameters(1).distribution() == "int_uniform");
  CHECK(read.sweep.parameters(2).max() == 8e6);
  CHECK(read.sweep.parameters(2).q() == 1e6);
  CHECK(read.sweep.parameters(3).sigma() == 1);
  CHECK(read.sweep.parameters(4).repeat() == 3);
}

TEST_CASE("every mistake in the parameters is reported at its place") {
  const Read read = ReadText(
      "optim.adamw.lrr: {value: 1}\n"
      "optim.adamw.lr: {vales: [1]}\n"
      "model.n_layers: {values: [1, x]}\n"
      "model.d_model: 64\n"
      "train.grad_clip: {distribution: uniform, min: 1}\n"
      "train.tokens: {values: 20M}\n"
      "seed: {repeat: 0}\n"
      "eval.tokens: {distribution: uniform, min: \"1\", max: 2}\n");
  CHECK(read.errors ==
        "f:1:1: parameters.optim.adamw.lrr: unknown key \"lrr\" (did you mean \"lr\"?)\n"
        "f:2:18: parameters.optim.adamw.lr: unknown key \"vales\"; a parameter has values, value, "
        "probabilities, distribution, min, max, q, mu, sigma, repeat (did you mean \"values\"?)\n"
        "f:3:30: model.n_layers: \"x\" is not a number such as 12, 1_000 or 2e7\n"
        "f:4:16: parameters.model.d_model: must be a mapping such as {values: [1, 2]}, got 64\n"
        "f:5:18: parameters.train.grad_clip: uniform needs min and max\n"
        "f:6:24: parameters.train.tokens: values must be a list, got the text \"20M\"\n"
        "f:7:16: parameters.seed: repeat must be a whole number from 1 to 100000, got 0\n"
        "f:8:43: parameters.eval.tokens: must be a number, got the text \"1\"");
  CHECK(read.filled.failed.count("parameters.optim.adamw.lrr") == 1);
  CHECK(read.filled.failed.size() == 8);
}

TEST_CASE("parameters are a mapping") {
  CHECK(ReadText("- a\n").errors ==
        "f:1:1: parameters: must be a mapping from keys of the base to their values, got a list");
}

}  // namespace
}  // namespace ddl
