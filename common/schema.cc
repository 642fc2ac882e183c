#include "common/schema.h"

#include <google/protobuf/descriptor.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/check.h"
#include "common/numbers.h"
#include "common/spec_keys.h"
#include "common/sweep_values.h"
#include "proto/ddl/v1/spec.pb.h"
#include "proto/ddl/v1/sweep.pb.h"

namespace ddl {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::ordered_json;

// Numbers that a schema-aware editor may take for texts: 20M, 1.5k, 20_000_000, 2e7.
constexpr char kTokenPattern[] = "^[0-9]+(_[0-9]+)*(\\.[0-9]+)?([eE][+]?[0-9]+)?(k|K|M|G|B|T)?$";

bool IsText(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

bool IsReal(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE;
}

// A default or bound as JSON: whole numbers stay whole.
Json Literal(const FieldDescriptor& field, const std::string& text) {
  if (IsText(field)) return text;
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) return text == "true";
  if (IsReal(field)) return ParseReal(text).value();
  return ParseSigned(text, UnitOf(field)).value();
}

Json NumberSchema(const FieldDescriptor& field) {
  const v1::Key& key = KeyOf(field);
  Json number = {{"type", IsReal(field) ? "number" : "integer"}};
  if (!key.min().empty()) number["minimum"] = Literal(field, key.min());
  if (!key.max().empty()) number["maximum"] = Literal(field, key.max());
  if (!key.above().empty()) number["exclusiveMinimum"] = Literal(field, key.above());
  if (!key.below().empty()) number["exclusiveMaximum"] = Literal(field, key.below());
  const bool is_signed = IsReal(field) || field.cpp_type() == FieldDescriptor::CPPTYPE_INT32;
  if (!is_signed && key.min().empty()) number["minimum"] = 0;
  if (key.unit() == v1::UNIT_NONE) return number;
  DDL_CHECK(key.unit() == v1::UNIT_TOKENS);
  return {{"anyOf", {number, {{"type", "string"}, {"pattern", kTokenPattern}}}}};
}

Json TextSchema(const FieldDescriptor& field) {
  const v1::Key& key = KeyOf(field);
  Json text = {{"type", "string"}};
  if (!key.one_of().empty()) text["enum"] = key.one_of();
  if (key.pattern() == "name") text["pattern"] = "^[a-z0-9][a-z0-9._-]{0,62}$";
  if (key.pattern() == "text") text["maxLength"] = 256;
  if (key.pattern() == "path") {
    text["minLength"] = 1;
    text["maxLength"] = 4096;
  }
  return text;
}

Json MappingSchema(const Descriptor& mapping, bool with_required);

Json KeySchema(const FieldDescriptor& field, bool with_required) {
  if (IsMessage(field)) return MappingSchema(*field.message_type(), with_required);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) return {{"type", "boolean"}};
  return IsText(field) ? TextSchema(field) : NumberSchema(field);
}

bool IsRequired(const FieldDescriptor& field) {
  const v1::Key& key = KeyOf(field);
  if (!IsMessage(field)) return !field.is_repeated() && !key.has_default_() && !key.computed();
  for (int i = 0; i < field.message_type()->field_count(); ++i) {
    if (IsRequired(*field.message_type()->field(i))) return true;
  }
  return false;
}

// Read by common/model_yaml.h, and no key of the message.
Json PresetSchema() {
  return {{"type", "string"},
          {"description",
           "Path, relative to this file, of a model file whose keys are put under these."}};
}

// A mapping of the keys of `mapping`; `with_required` lists those that have no default.
Json MappingSchema(const Descriptor& mapping, bool with_required) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const std::string& name : KeysOf(mapping)) {
    const FieldDescriptor& field = *FindKey(mapping, name);
    const v1::Key& key = KeyOf(field);
    Json property = KeySchema(field, with_required);
    if (field.is_repeated()) {
      property = {{"type", "array"}, {"items", property}};
      if (key.max_items() > 0) property["maxItems"] = key.max_items();
    }
    property["description"] = key.doc();
    if (key.has_default_()) property["default"] = Literal(field, key.default_());
    properties[name] = std::move(property);
    if (with_required && IsRequired(field)) required.push_back(name);
  }
  if (&mapping == v1::ModelSpec::descriptor()) properties["preset"] = PresetSchema();
  Json schema = {{"type", "object"}, {"additionalProperties", false}, {"properties", properties}};
  if (!required.empty()) schema["required"] = required;
  return schema;
}

// Every path that a sweep may search, mappings among them.
void AddPaths(const Descriptor& mapping, const std::string& parent, Json* properties) {
  for (const std::string& name : KeysOf(mapping)) {
    const std::string path = JoinPath(parent, name);
    if (path == "version" || path == "name") continue;
    (*properties)[path] = {{"$ref", "#/definitions/parameter"}};
    const FieldDescriptor& field = *FindKey(mapping, name);
    if (IsMessage(field)) AddPaths(*field.message_type(), path, properties);
  }
}

Json ParameterSchema() {
  const Json number = {
      {"anyOf", {{{"type", "number"}}, {{"type", "string"}, {"pattern", kTokenPattern}}}}};
  std::vector<std::string> distributions(kDistributions.begin(), kDistributions.end());
  Json properties = {
      {"value", {{"description", "The one value of the key."}}},
      {"values", {{"type", "array"}, {"minItems", 1}, {"description", "The values of the key."}}},
      {"probabilities",
       {{"type", "array"},
        {"items", {{"type", "number"}, {"minimum", 0}}},
        {"description", "Of the values, for method random."}}},
      {"distribution",
       {{"type", "string"}, {"enum", distributions}, {"description", "W&B's name of it."}}},
      {"min", number},
      {"max", number},
      {"q", number},
      {"mu", number},
      {"sigma", number},
      {"repeat",
       {{"type", "integer"},
        {"minimum", 1},
        {"maximum", 100000},
        {"description", "For seed alone: the number of seeds of every arm."}}}};
  return {{"type", "object"},
          {"additionalProperties", false},
          {"minProperties", 1},
          {"properties", properties}};
}

Json Titled(const char* id, const char* title, const Json& schema) {
  Json titled = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"$id", std::string("https://deltaworks.invalid/schema/") + id},
                 {"title", title}};
  titled.update(schema);
  return titled;
}

}  // namespace

std::string ExperimentSchema() {
  const Json schema = MappingSchema(*v1::ExperimentSpec::descriptor(), true);
  return Titled("experiment.v1.json", "Deltaworks experiment", schema).dump(2) + "\n";
}

std::string SweepSchema() {
  Json paths = Json::object();
  AddPaths(*v1::ExperimentSpec::descriptor(), "", &paths);
  // `parameters` and `base` are written otherwise than the messages are.
  const Descriptor& sweep = *v1::SweepSpec::descriptor();
  Json properties = Json::object();
  for (const std::string& name : KeysOf(sweep)) {
    const FieldDescriptor& field = *FindKey(sweep, name);
    Json property;
    if (name == "parameters") {
      property = {{"type", "object"},
                  {"additionalProperties", false},
                  {"minProperties", 1},
                  {"maxProperties", KeyOf(field).max_items()},
                  {"properties", paths}};
    } else if (name == "base") {
      property = {{"anyOf",
                   {{{"type", "string"}, {"description", "Path relative to this file."}},
                    MappingSchema(*v1::ExperimentSpec::descriptor(), false)}}};
    } else {
      property = KeySchema(field, false);
      if (KeyOf(field).has_default_()) {
        property["default"] = Literal(field, KeyOf(field).default_());
      }
    }
    property["description"] = KeyOf(field).doc();
    properties[name] = std::move(property);
  }
  const Json schema = {{"type", "object"},
                       {"additionalProperties", false},
                       {"required", {"base", "parameters"}},
                       {"properties", properties},
                       {"definitions", {{"parameter", ParameterSchema()}}}};
  return Titled("sweep.v1.json", "Deltaworks sweep", schema).dump(2) + "\n";
}

std::string ModelSchema() {
  Json schema = MappingSchema(*v1::ModelSpec::descriptor(), false);
  schema["properties"].erase("preset");
  return Titled("model.v1.json", "Deltaworks model", schema).dump(2) + "\n";
}

}  // namespace ddl
