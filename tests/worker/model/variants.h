// Every form of a model: all residuals with all their switches, on both backbones, in sizes drawn
// from a seed that the test prints.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "worker/model/model_config.h"
#include "worker/model/transformer.h"

namespace ddl {

inline constexpr std::array<at::ScalarType, 2> kBothTypes = {at::kFloat, at::kDouble};

struct Form {
  std::string name;
  ModelConfig model;
};

// Small enough for a derivative by differences of every weight.
std::vector<Form> AllForms(std::mt19937_64* random);

// The model with random weights around 1 for gains and around 0 for others, none at a point of
// symmetry. Draws from at::manual_seed's stream.
Transformer RandomModel(const ModelConfig& config, at::ScalarType type);

// A weight by its name.
at::Tensor WeightOf(const Parameters& parameters, const std::string& name);

}  // namespace ddl
