#include "common/spec_keys.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/check.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool Contains(const std::vector<absl::string_view>& names, absl::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string Suggestion(absl::string_view near) {
  return near.empty() ? std::string() : absl::StrCat(" (did you mean \"", near, "\"?)");
}

absl::Status WrongType(absl::string_view expected, const ConfigNode& got) {
  return absl::InvalidArgumentError(absl::StrCat("must be ", expected, ", got ", Describe(got)));
}

absl::Status SetText(const ConfigNode& scalar, const FieldDescriptor& field, Message* message) {
  if (scalar.style == ConfigNode::Style::kPlain && LooksTyped(scalar.text)) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be a text, got ", Describe(scalar), "; write \"", scalar.text, "\""));
  }
  const Reflection& reflection = *message->GetReflection();
  if (field.is_repeated()) {
    reflection.AddString(message, &field, scalar.text);
  } else {
    reflection.SetString(message, &field, scalar.text);
  }
  return absl::OkStatus();
}

absl::Status SetBool(const ConfigNode& scalar, const FieldDescriptor& field, Message* message) {
  const bool is_true = scalar.text == "true";
  if ((!is_true && scalar.text != "false") || scalar.style == ConfigNode::Style::kQuoted) {
    return WrongType("true or false", scalar);
  }
  message->GetReflection()->SetBool(message, &field, is_true);
  return absl::OkStatus();
}

absl::Status SetNumber(const ConfigNode& scalar, const FieldDescriptor& field, Message* message) {
  if (scalar.style == ConfigNode::Style::kQuoted) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be a number, got ", Describe(scalar), "; write it without quotes"));
  }
  const Reflection& reflection = *message->GetReflection();
  const auto too_large = [&] {
    return absl::OutOfRangeError(absl::StrCat(Quoted(scalar.text), " is out of range"));
  };
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
    DDL_ASSIGN_OR_RETURN(const double value, ParseReal(scalar.text, UnitOf(field)));
    reflection.SetDouble(message, &field, value);
    return absl::OkStatus();
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
    DDL_ASSIGN_OR_RETURN(const int64_t value, ParseSigned(scalar.text, UnitOf(field)));
    if (value != static_cast<int32_t>(value)) return too_large();
    reflection.SetInt32(message, &field, static_cast<int32_t>(value));
    return absl::OkStatus();
  }
  DDL_ASSIGN_OR_RETURN(const uint64_t value, ParseUnsigned(scalar.text, UnitOf(field)));
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64) {
    reflection.SetUInt64(message, &field, value);
    return absl::OkStatus();
  }
  DDL_CHECK(field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32);
  if (value != static_cast<uint32_t>(value)) return too_large();
  reflection.SetUInt32(message, &field, static_cast<uint32_t>(value));
  return absl::OkStatus();
}

// -1, 0 or 1 as the field's value is below, at or above `bound`, which is written as a default is.
int Compare(const Message& message, const FieldDescriptor& field, const std::string& bound) {
  const Reflection& reflection = *message.GetReflection();
  const auto order = [](auto value, auto limit) { return value < limit ? -1 : value > limit; };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return order(reflection.GetDouble(message, &field), ParseReal(bound, UnitOf(field)).value());
    case FieldDescriptor::CPPTYPE_INT32:
      return order(int64_t{reflection.GetInt32(message, &field)},
                   ParseSigned(bound, UnitOf(field)).value());
    case FieldDescriptor::CPPTYPE_UINT32:
      return order(uint64_t{reflection.GetUInt32(message, &field)},
                   ParseUnsigned(bound, UnitOf(field)).value());
    case FieldDescriptor::CPPTYPE_UINT64:
      return order(reflection.GetUInt64(message, &field),
                   ParseUnsigned(bound, UnitOf(field)).value());
    default: DDL_CHECK(false); return 0;
  }
}

std::string CheckRange(const Message& message, const FieldDescriptor& field) {
  const v1::Key& key = KeyOf(field);
  const auto broken = [&](absl::string_view relation, const std::string& bound) {
    return absl::StrCat("must be ", relation, " ", bound, ", got ", ScalarText(message, field));
  };
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE &&
      !std::isfinite(message.GetReflection()->GetDouble(message, &field))) {
    return "must be finite";
  }
  if (!key.min().empty() && Compare(message, field, key.min()) < 0) {
    return broken("at least", key.min());
  }
  if (!key.max().empty() && Compare(message, field, key.max()) > 0) {
    return broken("at most", key.max());
  }
  if (!key.above().empty() && Compare(message, field, key.above()) <= 0) {
    return broken("above", key.above());
  }
  if (!key.below().empty() && Compare(message, field, key.below()) >= 0) {
    return broken("below", key.below());
  }
  return {};
}

absl::Status CheckPattern(absl::string_view pattern, absl::string_view value) {
  if (pattern.empty()) return absl::OkStatus();
  if (pattern == "name") return CheckName(value);
  if (pattern == "text") return CheckText(value);
  DDL_CHECK(pattern == "path");
  return CheckPath(value);
}

std::string CheckString(const std::string& value, const FieldDescriptor& field) {
  const v1::Key& key = KeyOf(field);
  const absl::Status status = CheckPattern(key.pattern(), value);
  if (!status.ok()) return std::string(status.message());
  if (key.one_of().empty() ||
      std::find(key.one_of().begin(), key.one_of().end(), value) != key.one_of().end()) {
    return {};
  }
  return absl::StrCat(Quoted(value), " is not one of ", absl::StrJoin(key.one_of(), ", "),
                      Suggestion(DidYouMean(value, key.one_of())));
}

std::string CheckList(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const int items = reflection.FieldSize(message, &field);
  const auto limit = static_cast<int>(KeyOf(field).max_items());
  if (limit != 0 && items > limit) {
    return absl::StrCat("must have at most ", limit, " items, got ", items);
  }
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_STRING) return {};
  for (int i = 0; i < items; ++i) {
    const std::string value = reflection.GetRepeatedString(message, &field, i);
    if (value.empty()) return absl::StrCat("item ", i + 1, " must not be empty");
    std::string rule = CheckString(value, field);
    if (!rule.empty()) return absl::StrCat("item ", i + 1, ": ", rule);
  }
  return {};
}

// The rule that a key which is no mapping breaks; empty for none.
std::string CheckKey(const Message& message, const FieldDescriptor& field) {
  const v1::Key& key = KeyOf(field);
  if (field.is_repeated()) return CheckList(message, field);
  if (!message.GetReflection()->HasField(message, &field)) {
    if (key.has_default_() || key.computed()) return {};
    return absl::StrCat("is required: ", key.doc());
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return CheckString(message.GetReflection()->GetString(message, &field), field);
    case FieldDescriptor::CPPTYPE_BOOL: return {};
    default: return CheckRange(message, field);
  }
}

}  // namespace

const v1::Key& KeyOf(const FieldDescriptor& field) { return field.options().GetExtension(v1::key); }

NumberUnit UnitOf(const FieldDescriptor& field) {
  switch (KeyOf(field).unit()) {
    case v1::UNIT_TOKENS: return NumberUnit::kTokens;
    case v1::UNIT_BYTES: return NumberUnit::kBytes;
    case v1::UNIT_SECONDS: return NumberUnit::kSeconds;
    default: return NumberUnit::kNone;
  }
}

bool IsMessage(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

const FieldDescriptor* FindKey(const Descriptor& mapping, absl::string_view name) {
  const FieldDescriptor* field = mapping.FindFieldByName(std::string(name));
  return field == nullptr || KeyOf(*field).internal() ? nullptr : field;
}

std::vector<std::string> KeysOf(const Descriptor& mapping) {
  std::vector<std::string> keys;
  for (int i = 0; i < mapping.field_count(); ++i) {
    if (!KeyOf(*mapping.field(i)).internal()) keys.push_back(mapping.field(i)->name());
  }
  return keys;
}

std::string NearestKey(const Descriptor& mapping, absl::string_view name) {
  constexpr size_t kLongest = 64;  // A distance to a very long word costs much, to suggest nothing.
  return name.size() > kLongest ? std::string() : DidYouMean(name, KeysOf(mapping));
}

std::string UnknownKey(const Descriptor& mapping, absl::string_view name) {
  return absl::StrCat("unknown key ", Quoted(name), Suggestion(NearestKey(mapping, name)));
}

absl::StatusOr<const FieldDescriptor*> FindPath(const Descriptor& root, absl::string_view path) {
  const Descriptor* mapping = &root;
  const FieldDescriptor* field = nullptr;
  std::string walked;
  for (const absl::string_view part : absl::StrSplit(path, '.')) {
    if (mapping == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(walked, " is not a mapping and has no key ", Quoted(part)));
    }
    walked = JoinPath(walked, part);
    field = FindKey(*mapping, part);
    if (field == nullptr) return absl::InvalidArgumentError(UnknownKey(*mapping, part));
    mapping = IsMessage(*field) && !field->is_repeated() ? field->message_type() : nullptr;
  }
  return field;
}

absl::Status SetScalar(const ConfigNode& scalar, const FieldDescriptor& field, Message* message) {
  DDL_CHECK(!IsMessage(field));
  const bool text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  const bool boolean = field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL;
  if (scalar.kind != ConfigNode::Kind::kScalar) {
    return WrongType(text ? "a text" : boolean ? "true or false" : "a number", scalar);
  }
  if (text) return SetText(scalar, field, message);
  return boolean ? SetBool(scalar, field, message) : SetNumber(scalar, field, message);
}

void FillDefaults(Message* message, const std::vector<absl::string_view>& skipped) {
  const Descriptor& mapping = *message->GetDescriptor();
  for (int i = 0; i < mapping.field_count(); ++i) {
    const FieldDescriptor& field = *mapping.field(i);
    if (field.is_repeated() || Contains(skipped, field.name())) continue;
    if (IsMessage(field)) {
      FillDefaults(message->GetReflection()->MutableMessage(message, &field));
    } else if (KeyOf(field).has_default_()) {
      ConfigNode node;
      node.kind = ConfigNode::Kind::kScalar;
      node.style = ConfigNode::Style::kUntyped;
      node.text = KeyOf(field).default_();
      DDL_CHECK(SetScalar(node, field, message).ok());
    }
  }
}

void CheckKeys(const Message& message, const std::string& parent, const ReportKey& report,
               const std::vector<absl::string_view>& skipped) {
  const Descriptor& mapping = *message.GetDescriptor();
  for (int i = 0; i < mapping.field_count(); ++i) {
    const FieldDescriptor& field = *mapping.field(i);
    if (Contains(skipped, field.name())) continue;
    if (IsMessage(field) && !field.is_repeated()) {
      const Message& part = message.GetReflection()->GetMessage(message, &field);
      CheckKeys(part, JoinPath(parent, field.name()), report);
      continue;
    }
    const std::string rule = CheckKey(message, field);
    if (!rule.empty()) report(JoinPath(parent, field.name()), rule);
  }
}

std::string ScalarText(const Message& message, const FieldDescriptor& field, int item) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return item < 0 ? reflection.GetString(message, &field)
                      : reflection.GetRepeatedString(message, &field, item);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const double value = reflection.GetDouble(message, &field);
      return std::isfinite(value) ? FormatReal(value) : absl::StrCat(value);
    }
    case FieldDescriptor::CPPTYPE_INT32: return absl::StrCat(reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(reflection.GetUInt64(message, &field));
    default: DDL_CHECK(false); return {};
  }
}

}  // namespace ddl
