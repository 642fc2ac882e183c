#include "common/sweep_values.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/check.h"
#include "common/numbers.h"
#include "common/yaml_text.h"

namespace ddl {
namespace {

using google::protobuf::Value;

// The output function of SplitMix64 (Steele, Lea, Flood 2014): a bijection that mixes well.
uint64_t Mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

uint64_t HashText(absl::string_view text) {  // FNV-1a.
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

// The `draw`-th uniform number in [0, 1) of one parameter of one arm.
double Uniform(uint64_t sweep_seed, int64_t arm, absl::string_view path, uint64_t draw) {
  uint64_t bits = Mix(sweep_seed);
  bits = Mix(bits ^ static_cast<uint64_t>(arm));
  bits = Mix(bits ^ HashText(path));
  bits = Mix(bits ^ draw);
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

// The multiple `cell` of q; exact for such q as 0.1, whose inverse is whole.
double Multiple(double cell, double q) {
  const double inverse = std::round(1 / q);
  return std::abs(1 / q - inverse) < 1e-9 * inverse ? cell / inverse : cell * q;
}

// First and last multiples of q inside [min, max].
double FirstCell(const v1::SweepParameter& p) { return std::ceil(p.min() / p.q() - 1e-9); }
double LastCell(const v1::SweepParameter& p) { return std::floor(p.max() / p.q() + 1e-9); }

Value Number(double value) {
  Value number;
  number.set_number_value(value);
  return number;
}

size_t PickListed(const v1::SweepParameter& parameter, double u) {
  const int count = parameter.values_size();
  if (parameter.probabilities_size() != count) {
    return static_cast<size_t>(std::min(count - 1, static_cast<int>(u * count)));
  }
  double sum = 0;
  for (int i = 0; i < count; ++i) {
    sum += parameter.probabilities(i);
    if (u < sum) return static_cast<size_t>(i);
  }
  int last = count - 1;  // Probabilities that sum to just under 1.
  while (last > 0 && parameter.probabilities(last) == 0) --last;
  return static_cast<size_t>(last);
}

}  // namespace

DistributionShape ShapeOf(absl::string_view distribution) {
  DistributionShape shape;
  shape.listed = distribution == "constant" || distribution == "categorical";
  shape.quantized = distribution.substr(0, 2) == "q_";
  shape.normal =
      distribution == "normal" || distribution == "log_normal" || distribution == "q_normal";
  shape.bounded = !shape.listed && !shape.normal;
  shape.enumerable = shape.listed || distribution == "int_uniform" || distribution == "q_uniform";
  return shape;
}

int64_t GridSize(const v1::SweepParameter& parameter) {
  constexpr double kLimit = 1e15;  // Far above any sweep, far below where doubles skip integers.
  double size = parameter.values_size();
  if (parameter.distribution() == "int_uniform") size = parameter.max() - parameter.min() + 1;
  if (parameter.distribution() == "q_uniform") {
    size = LastCell(parameter) - FirstCell(parameter) + 1;
  }
  return static_cast<int64_t>(std::clamp(size, 0.0, kLimit));
}

Value GridValue(const v1::SweepParameter& parameter, int64_t index) {
  DDL_CHECK(index >= 0 && index < GridSize(parameter));
  const auto offset = static_cast<double>(index);
  if (parameter.distribution() == "int_uniform") return Number(parameter.min() + offset);
  if (parameter.distribution() == "q_uniform") {
    return Number(Multiple(FirstCell(parameter) + offset, parameter.q()));
  }
  return parameter.values(static_cast<int>(index));
}

Value DrawValue(const v1::SweepParameter& p, uint64_t sweep_seed, int64_t arm) {
  const double u = Uniform(sweep_seed, arm, p.path(), 0);
  const DistributionShape shape = ShapeOf(p.distribution());
  if (shape.listed) return p.values(static_cast<int>(PickListed(p, u)));
  if (p.distribution() == "int_uniform") {
    return Number(std::min(p.max(), p.min() + std::floor(u * (p.max() - p.min() + 1))));
  }
  double value = 0;
  if (shape.normal) {  // Box and Muller; 1 - u is never zero.
    const double angle = 2 * std::numbers::pi * Uniform(sweep_seed, arm, p.path(), 1);
    value = p.mu() + p.sigma() * std::sqrt(-2 * std::log(1 - u)) * std::cos(angle);
    if (p.distribution() == "log_normal") value = std::exp(value);
  } else if (p.distribution() == "uniform" || p.distribution() == "q_uniform") {
    value = std::clamp(p.min() + u * (p.max() - p.min()), p.min(), p.max());
  } else {
    const double low = std::log(p.min());
    value = std::clamp(std::exp(low + u * (std::log(p.max()) - low)), p.min(), p.max());
  }
  if (!shape.quantized) return Number(value);
  double cell = std::round(value / p.q());
  if (shape.bounded) cell = std::clamp(cell, FirstCell(p), LastCell(p));
  return Number(Multiple(cell, p.q()));
}

ConfigNode NodeOfValue(const Value& value, const Place& place) {
  ConfigNode node;
  node.place = place;
  const auto scalar = [&](std::string text) {
    node.kind = ConfigNode::Kind::kScalar;
    node.style = ConfigNode::Style::kUntyped;
    node.text = std::move(text);
  };
  switch (value.kind_case()) {
    case Value::kNumberValue:
      scalar(std::isfinite(value.number_value()) ? FormatReal(value.number_value())
                                                 : absl::StrCat(value.number_value()));
      break;
    case Value::kStringValue: scalar(value.string_value()); break;
    case Value::kBoolValue: scalar(value.bool_value() ? "true" : "false"); break;
    case Value::kListValue:
      node.kind = ConfigNode::Kind::kList;
      for (const Value& item : value.list_value().values()) {
        node.items.push_back(NodeOfValue(item, place));
      }
      break;
    case Value::kStructValue: {
      node.kind = ConfigNode::Kind::kMap;
      for (const auto& [key, item] : value.struct_value().fields()) {
        node.entries.push_back({key, place, NodeOfValue(item, place)});
      }
      // A protobuf map has no order of its own.
      std::sort(node.entries.begin(), node.entries.end(),
                [](const auto& a, const auto& b) { return a.key < b.key; });
      break;
    }
    case Value::kNullValue:
    case Value::KIND_NOT_SET: break;
  }
  return node;
}

std::string ValueText(const Value& value) {
  switch (value.kind_case()) {
    case Value::kNumberValue: return FormatReal(value.number_value());
    case Value::kStringValue: return YamlScalar(value.string_value());
    case Value::kBoolValue: return value.bool_value() ? "true" : "false";
    case Value::kListValue: {
      std::vector<std::string> items;
      for (const Value& item : value.list_value().values()) items.push_back(ValueText(item));
      return absl::StrCat("[", absl::StrJoin(items, ", "), "]");
    }
    case Value::kStructValue: {
      std::map<std::string, std::string> items;
      for (const auto& [key, item] : value.struct_value().fields()) items[key] = ValueText(item);
      return absl::StrCat("{", absl::StrJoin(items, ", ", absl::PairFormatter(": ")), "}");
    }
    case Value::kNullValue:
    case Value::KIND_NOT_SET: break;
  }
  return "null";
}

}  // namespace ddl
