#include "common/spec_places.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

namespace ddl {
namespace {

const auto kFile = std::make_shared<const std::string>("a.yaml");

std::string Reported(const SpecViolation& violation, const FilledKeys& filled) {
  ConfigErrors errors;
  AddViolation(violation, filled, {kFile, 1, 1}, &errors);
  return std::string(errors.ToStatus().message());
}

TEST_CASE("a rule between a written key and a default is reported at the written key") {
  FilledKeys filled;
  filled.places["model.d_model"] = {kFile, 4, 12};
  CHECK(Reported({{"model.n_heads", "model.d_model"}, "broken"}, filled) ==
        "a.yaml:4:12: model.d_model: broken");
}

TEST_CASE("a missing key is reported at its mapping, else at the file") {
  FilledKeys filled;
  CHECK(Reported({{"data.path"}, "is required"}, filled) == "a.yaml: data.path: is required");
  filled.places["data"] = {kFile, 3, 7};
  CHECK(Reported({{"data.path"}, "is required"}, filled) == "a.yaml:3:7: data.path: is required");
}

TEST_CASE("what follows from a key that could not be read is left out") {
  FilledKeys filled;
  filled.failed = {"train.tokens", "model"};
  CHECK(Reported({{"optim.schedule.warmup_tokens", "train.tokens"}, "broken"}, filled).empty());
  CHECK(Reported({{"model.residual.kind"}, "broken"}, filled).empty());
  CHECK(!Reported({{"train.grad_clip"}, "broken"}, filled).empty());
}

TEST_CASE("the mappings around a path are named from the inside") {
  CHECK(ParentsOf("a.b.c") == std::vector<std::string>{"a.b", "a"});
  CHECK(ParentsOf("a").empty());
  CHECK(ParentsOf("").empty());
}

}  // namespace
}  // namespace ddl
