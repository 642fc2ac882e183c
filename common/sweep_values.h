// The values of one sweep parameter: how many there are, the one at a grid index, the one drawn for
// an arm.
#pragma once

#include <google/protobuf/struct.pb.h>

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/config_node.h"
#include "proto/ddl/v1/sweep.pb.h"

namespace ddl {

// W&B's names of distributions that a sweep may use.
inline constexpr std::array<absl::string_view, 10> kDistributions = {
    "constant", "categorical",        "int_uniform",          "uniform",    "q_uniform",
    "normal",   "log_uniform_values", "q_log_uniform_values", "log_normal", "q_normal"};

// What numbers a distribution is made of.
struct DistributionShape {
  bool bounded = false;     // min and max.
  bool normal = false;      // mu and sigma.
  bool quantized = false;   // q.
  bool listed = false;      // values.
  bool enumerable = false;  // A grid can go through it.
};
DistributionShape ShapeOf(absl::string_view distribution);

// Values that a grid goes through; `parameter` is enumerable and checked.
int64_t GridSize(const v1::SweepParameter& parameter);
google::protobuf::Value GridValue(const v1::SweepParameter& parameter, int64_t index);

// The value of arm `arm`: a pure function of the three and the parameter.
google::protobuf::Value DrawValue(const v1::SweepParameter& parameter, uint64_t sweep_seed,
                                  int64_t arm);

// A sweep value as a tree that FillPath reads; texts are untyped, so that "20M" is a token count.
ConfigNode NodeOfValue(const google::protobuf::Value& value, const Place& place);

// A sweep value on one line, as YAML would write it: {kind: ddl, value_channels: 4}.
std::string ValueText(const google::protobuf::Value& value);

}  // namespace ddl
