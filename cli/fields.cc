#include "cli/fields.h"

#include <google/protobuf/struct.pb.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace ddl::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// "RUN_STATE_" of the enum RunState.
std::string PrefixOfEnum(absl::string_view type_name) {
  std::string prefix;
  for (const char c : type_name) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(static_cast<unsigned char>(c));
  }
  return prefix + "_";
}

std::string EnumWord(const EnumValueDescriptor& value) {
  absl::string_view name = value.name();
  const std::string prefix = PrefixOfEnum(value.type()->name());
  if (absl::StartsWith(name, prefix)) name.remove_prefix(prefix.size());
  return absl::AsciiStrToLower(name);
}

Json NumberOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json FieldsOfValue(const google::protobuf::Value& value) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kNumberValue: return NumberOrNull(value.number_value());
    case google::protobuf::Value::kStringValue: return value.string_value();
    case google::protobuf::Value::kBoolValue: return value.bool_value();
    case google::protobuf::Value::kStructValue: {
      Json object = Json::object();
      for (const auto& [key, field] : value.struct_value().fields()) {
        object[key] = FieldsOfValue(field);
      }
      return object;
    }
    case google::protobuf::Value::kListValue: {
      Json list = Json::array();
      for (const auto& element : value.list_value().values())
        list.push_back(FieldsOfValue(element));
      return list;
    }
    default: return nullptr;
  }
}

Json FieldsOfMessage(const Message& message) {
  const std::string& type = message.GetDescriptor()->full_name();
  if (type == "google.protobuf.Timestamp") {
    return Rfc3339(TimeOf(static_cast<const google::protobuf::Timestamp&>(message)));
  }
  if (type == "google.protobuf.Value") {
    return FieldsOfValue(static_cast<const google::protobuf::Value&>(message));
  }
  return FieldsOf(message);
}

Json SingularValue(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: return reflection.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64: return reflection.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32: return reflection.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64: return reflection.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return NumberOrNull(reflection.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_FLOAT: return NumberOrNull(reflection.GetFloat(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL: return reflection.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM: return EnumWord(*reflection.GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_STRING: return reflection.GetString(message, &field);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return FieldsOfMessage(reflection.GetMessage(message, &field));
  }
  return nullptr;
}

Json RepeatedValue(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const int count = reflection.FieldSize(message, &field);
  Json list = Json::array();
  for (int i = 0; i < count; ++i) {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        list.push_back(reflection.GetRepeatedInt32(message, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        list.push_back(reflection.GetRepeatedInt64(message, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        list.push_back(reflection.GetRepeatedUInt32(message, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        list.push_back(reflection.GetRepeatedUInt64(message, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        list.push_back(NumberOrNull(reflection.GetRepeatedDouble(message, &field, i)));
        break;
      case FieldDescriptor::CPPTYPE_FLOAT:
        list.push_back(NumberOrNull(reflection.GetRepeatedFloat(message, &field, i)));
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        list.push_back(reflection.GetRepeatedBool(message, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        list.push_back(EnumWord(*reflection.GetRepeatedEnum(message, &field, i)));
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        list.push_back(reflection.GetRepeatedString(message, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        list.push_back(FieldsOfMessage(reflection.GetRepeatedMessage(message, &field, i)));
        break;
    }
  }
  return list;
}

// An object with sorted keys, whatever the order of the hash map.
Json MapValue(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  std::map<std::string, Json> sorted;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    const Json key = SingularValue(entry, *entry.GetDescriptor()->map_key());
    sorted[key.is_string() ? key.get<std::string>() : key.dump()] =
        SingularValue(entry, *entry.GetDescriptor()->map_value());
  }
  Json object = Json::object();
  for (auto& [key, value] : sorted) object[key] = std::move(value);
  return object;
}

void AddScalarPaths(const Descriptor& type, const std::string& prefix,
                    std::vector<std::string>* paths) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string path = absl::StrCat(prefix, field.name());
    const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (!is_message || field.message_type()->full_name() == "google.protobuf.Timestamp") {
      paths->push_back(path);
    } else if (!field.is_repeated()) {
      AddScalarPaths(*field.message_type(), path + ".", paths);
    }
  }
}

}  // namespace

Json FieldsOf(const Message& message) {
  Json object = Json::object();
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.is_map()) {
      object[field.name()] = MapValue(message, field);
    } else if (field.is_repeated()) {
      object[field.name()] = RepeatedValue(message, field);
    } else if (!field.has_presence() || message.GetReflection()->HasField(message, &field)) {
      object[field.name()] = SingularValue(message, field);
    } else if (field.real_containing_oneof() == nullptr) {
      object[field.name()] = nullptr;
    }
  }
  return object;
}

std::vector<std::string> ScalarPaths(const Descriptor& type) {
  std::vector<std::string> paths;
  AddScalarPaths(type, "", &paths);
  return paths;
}

const Json& At(const Json& tree, const std::string& path) {
  static const Json* const kNull = new Json(nullptr);
  const Json* at = &tree;
  for (const absl::string_view part : absl::StrSplit(path, '.')) {
    if (!at->is_object()) return *kNull;
    const auto found = at->find(std::string(part));
    if (found == at->end()) return *kNull;
    at = &*found;
  }
  return *at;
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string Rfc3339(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

}  // namespace ddl::cli
