#include "common/sweep_reader.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/check.h"
#include "common/names.h"
#include "common/numbers.h"
#include "common/spec_keys.h"
#include "common/sweep_values.h"

namespace ddl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Value;

constexpr std::array<absl::string_view, 10> kParameterKeys = {
    "values", "value", "probabilities", "distribution", "min", "max", "q", "mu", "sigma", "repeat"};

Value ScalarValue(const Message& message, const FieldDescriptor& field, int item) {
  Value value;
  const auto& reflection = *message.GetReflection();
  const std::string text = ScalarText(message, field, item);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: value.set_string_value(text); break;
    case FieldDescriptor::CPPTYPE_BOOL:
      value.set_bool_value(reflection.GetBool(message, &field));
      break;
    case FieldDescriptor::CPPTYPE_UINT64: {
      constexpr uint64_t kExact = uint64_t{1} << 53;
      const uint64_t whole = reflection.GetUInt64(message, &field);
      if (whole > kExact) {
        value.set_string_value(text);  // As a text, because a double would round it.
      } else {
        value.set_number_value(static_cast<double>(whole));
      }
      break;
    }
    default: value.set_number_value(ParseReal(text).value());
  }
  return value;
}

// What is set in `message`, as a sweep carries it.
Value MappingValue(const Message& message);

Value FieldValue(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  if (field.is_repeated()) {
    Value list;
    list.mutable_list_value();
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      *list.mutable_list_value()->add_values() = ScalarValue(message, field, i);
    }
    return list;
  }
  return IsMessage(field) ? MappingValue(reflection.GetMessage(message, &field))
                          : ScalarValue(message, field, -1);
}

Value MappingValue(const Message& message) {
  Value mapping;
  auto& fields = *mapping.mutable_struct_value()->mutable_fields();
  std::vector<const FieldDescriptor*> set;
  message.GetReflection()->ListFields(message, &set);
  for (const FieldDescriptor* field : set) fields[field->name()] = FieldValue(message, *field);
  return mapping;
}

// Reads one entry of `parameters`.
class ParameterReader {
 public:
  ParameterReader(const ConfigNode& node, const FieldDescriptor& field, const std::string& path,
                  ConfigErrors* errors)
      : node_(node), field_(field), errors_(*errors) {
    parameter_.set_path(path);
  }

  v1::SweepParameter Read() {
    for (const ConfigNode::Entry& entry : node_.entries) ReadKey(entry);
    Infer();
    return parameter_;
  }
  bool failed() const { return failed_; }

 private:
  void Fail(const Place& place, const std::string& rule) {
    errors_.Add(place, "parameters." + parameter_.path(), rule);
    failed_ = true;
  }

  void ReadKey(const ConfigNode::Entry& entry) {
    const std::string& key = entry.key;
    const ConfigNode& value = entry.value;
    if (key == "value") {
      AddValue(value);
    } else if (key == "values" || key == "probabilities") {
      if (value.kind != ConfigNode::Kind::kList) {
        return Fail(value.place, absl::StrCat(key, " must be a list, got ", Describe(value)));
      }
      for (const ConfigNode& item : value.items) {
        if (key == "values") {
          AddValue(item);
        } else {
          parameter_.add_probabilities(Number(item, NumberUnit::kNone));
        }
      }
    } else if (key == "distribution") {
      if (value.kind != ConfigNode::Kind::kScalar) {
        return Fail(value.place, "distribution must be a text, got " + Describe(value));
      }
      parameter_.set_distribution(value.text);
    } else if (key == "repeat") {
      ReadRepeat(value);
    } else {
      ReadNumber(entry);
    }
  }

  void ReadNumber(const ConfigNode::Entry& entry) {
    const std::string& key = entry.key;
    if (std::find(kParameterKeys.begin(), kParameterKeys.end(), key) == kParameterKeys.end()) {
      const std::string near = DidYouMean(absl::string_view(key).substr(0, 64), kParameterKeys);
      return Fail(
          entry.place,
          absl::StrCat("unknown key ", Quoted(key), "; a parameter has ",
                       absl::StrJoin(kParameterKeys, ", "),
                       near.empty() ? "" : absl::StrCat(" (did you mean \"", near, "\"?)")));
    }
    const double number = Number(entry.value, UnitOf(field_));
    if (key == "min") parameter_.set_min(number);
    if (key == "max") parameter_.set_max(number);
    if (key == "q") parameter_.set_q(number);
    if (key == "mu") parameter_.set_mu(number);
    if (key == "sigma") parameter_.set_sigma(number);
  }

  double Number(const ConfigNode& value, NumberUnit unit) {
    if (value.kind != ConfigNode::Kind::kScalar || value.style == ConfigNode::Style::kQuoted) {
      Fail(value.place, "must be a number, got " + Describe(value));
      return 0;
    }
    const absl::StatusOr<double> number = ParseReal(value.text, unit);
    if (number.ok()) return *number;
    Fail(value.place, std::string(number.status().message()));
    return 0;
  }

  void ReadRepeat(const ConfigNode& value) {
    const absl::StatusOr<uint64_t> repeat =
        ParseUnsigned(value.kind == ConfigNode::Kind::kScalar ? value.text : "");
    if (!repeat.ok() || *repeat < 1 || *repeat > 100000) {
      return Fail(value.place, absl::StrCat("repeat must be a whole number from 1 to 100000, got ",
                                            Describe(value)));
    }
    parameter_.set_repeat(static_cast<uint32_t>(*repeat));
  }

  // A value is checked as the key's own is, and carried as the key's type.
  void AddValue(const ConfigNode& value) {
    v1::ExperimentSpec scratch;
    FilledKeys filled;
    ConfigErrors found;
    FillPath(value, parameter_.path(), &scratch, &filled, &found);
    if (!found.empty()) {
      FillPath(value, parameter_.path(), &scratch, &filled, &errors_);
      failed_ = true;
      return;
    }
    const Message* message = &scratch;
    for (const std::string& part : MappingsOf(parameter_.path())) {
      const FieldDescriptor* step = message->GetDescriptor()->FindFieldByName(part);
      message = &message->GetReflection()->GetMessage(*message, step);
    }
    *parameter_.add_values() = FieldValue(*message, field_);
  }

  // Where W&B leaves a choice to the file: the distribution, and numbers with a usual value.
  void Infer() {
    if (failed_ || parameter_.repeat() > 0) return;
    if (parameter_.distribution().empty() && parameter_.values_size() == 0) {
      if (!Has("min") || !Has("max")) return;
      const bool whole = field_.cpp_type() != FieldDescriptor::CPPTYPE_DOUBLE;
      parameter_.set_distribution(whole ? "int_uniform" : "uniform");
    }
    const DistributionShape shape = ShapeOf(parameter_.distribution());
    const bool known = std::find(kDistributions.begin(), kDistributions.end(),
                                 parameter_.distribution()) != kDistributions.end();
    if (!known) return;
    if (shape.bounded && (!Has("min") || !Has("max"))) {
      return Fail(node_.place, parameter_.distribution() + " needs min and max");
    }
    if (shape.normal && !Has("sigma")) parameter_.set_sigma(1);
    if (shape.quantized && !Has("q")) parameter_.set_q(1);
  }

  bool Has(absl::string_view key) const { return node_.Find(key) != nullptr; }

  static std::vector<std::string> MappingsOf(const std::string& path);

  const ConfigNode& node_;
  const FieldDescriptor& field_;
  ConfigErrors& errors_;
  v1::SweepParameter parameter_;
  bool failed_ = false;
};

std::vector<std::string> ParameterReader::MappingsOf(const std::string& path) {
  std::vector<std::string> parts;
  size_t start = 0;
  for (size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', start)) {
    parts.push_back(path.substr(start, dot - start));
    start = dot + 1;
  }
  return parts;
}

}  // namespace

void ReadParameters(const ConfigNode& parameters, v1::SweepSpec* sweep, FilledKeys* filled,
                    ConfigErrors* errors) {
  filled->places["parameters"] = parameters.place;
  if (parameters.kind != ConfigNode::Kind::kMap) {
    errors->Add(
        parameters.place, "parameters",
        "must be a mapping from keys of the base to their values, got " + Describe(parameters));
    filled->failed.insert("parameters");
    return;
  }
  for (const ConfigNode::Entry& entry : parameters.entries) {
    const std::string path = "parameters." + entry.key;
    const auto field = FindPath(*v1::ExperimentSpec::descriptor(), entry.key);
    if (!field.ok()) {
      errors->Add(entry.place, path.substr(0, 80), std::string(field.status().message()));
    } else if (entry.value.kind != ConfigNode::Kind::kMap) {
      errors->Add(entry.value.place, path,
                  "must be a mapping such as {values: [1, 2]}, got " + Describe(entry.value));
    }
    if (!field.ok() || entry.value.kind != ConfigNode::Kind::kMap) {
      sweep->add_parameters()->set_path(entry.key);
      filled->failed.insert(path);
      continue;
    }
    filled->places[path] = entry.place;
    ParameterReader reader(entry.value, **field, entry.key, errors);
    *sweep->add_parameters() = reader.Read();
    if (reader.failed()) filled->failed.insert(path);
  }
}

}  // namespace ddl
