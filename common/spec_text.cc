// WriteYaml of common/spec_yaml.h.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/check.h"
#include "common/numbers.h"
#include "common/spec_keys.h"
#include "common/spec_yaml.h"
#include "common/sweep_values.h"
#include "common/yaml_text.h"

namespace ddl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string ParameterText(const v1::SweepParameter& parameter) {
  std::vector<std::string> parts;
  const auto number = [&](absl::string_view key, double value) {
    parts.push_back(absl::StrCat(key, ": ", FormatReal(value)));
  };
  const DistributionShape shape = ShapeOf(parameter.distribution());
  if (parameter.repeat() > 0) {
    parts.push_back(absl::StrCat("repeat: ", parameter.repeat()));
  } else if (shape.listed) {
    std::vector<std::string> values;
    for (const auto& value : parameter.values()) values.push_back(ValueText(value));
    parts.push_back(absl::StrCat("values: [", absl::StrJoin(values, ", "), "]"));
    std::vector<std::string> shares;
    for (const double share : parameter.probabilities()) shares.push_back(FormatReal(share));
    if (!shares.empty()) {
      parts.push_back(absl::StrCat("probabilities: [", absl::StrJoin(shares, ", "), "]"));
    }
  } else {
    parts.push_back(absl::StrCat("distribution: ", parameter.distribution()));
    if (shape.bounded) number("min", parameter.min());
    if (shape.bounded) number("max", parameter.max());
    if (shape.normal) number("mu", parameter.mu());
    if (shape.normal) number("sigma", parameter.sigma());
    if (shape.quantized) number("q", parameter.q());
  }
  return absl::StrCat("{", absl::StrJoin(parts, ", "), "}");
}

std::string FieldText(const Message& message, const FieldDescriptor& field, int item) {
  const std::string text = ScalarText(message, field, item);
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING ? YamlScalar(text) : text;
}

void WriteMapping(const Message& message, int indent, std::string* out) {
  const auto& reflection = *message.GetReflection();
  const std::string margin(static_cast<size_t>(indent), ' ');
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    const std::string key = absl::StrCat(margin, field.name(), ":");
    if (field.is_repeated() && IsMessage(field)) {
      DDL_CHECK(field.message_type() == v1::SweepParameter::descriptor());
      absl::StrAppend(out, key, "\n");
      for (int item = 0; item < reflection.FieldSize(message, &field); ++item) {
        const auto& parameter = static_cast<const v1::SweepParameter&>(
            reflection.GetRepeatedMessage(message, &field, item));
        absl::StrAppend(out, margin, "  ", parameter.path(), ": ", ParameterText(parameter), "\n");
      }
    } else if (field.is_repeated()) {
      std::vector<std::string> items;
      items.reserve(static_cast<size_t>(reflection.FieldSize(message, &field)));
      for (int item = 0; item < reflection.FieldSize(message, &field); ++item) {
        items.push_back(FieldText(message, field, item));
      }
      absl::StrAppend(out, key, " [", absl::StrJoin(items, ", "), "]\n");
    } else if (!reflection.HasField(message, &field)) {
      continue;
    } else if (IsMessage(field)) {
      std::string inside;
      WriteMapping(reflection.GetMessage(message, &field), indent + 2, &inside);
      absl::StrAppend(out, key, inside.empty() ? " {}\n" : "\n", inside);
    } else {
      absl::StrAppend(out, key, " ", FieldText(message, field, -1), "\n");
    }
  }
}

}  // namespace

std::string WriteYaml(const Message& resolved) {
  std::string out;
  WriteMapping(resolved, 0, &out);
  return out;
}

}  // namespace ddl
