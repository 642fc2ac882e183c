#include "cli/spec_explained.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/spec_rules.h"
#include "proto/ddl/v1/options.pb.h"

namespace ddl::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void AddKeys(const Message& message, const std::string& prefix, const SpecOrigins& origins,
             std::vector<ExplainedKey>* keys) {
  const Json values = FieldsOf(message);
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string path = absl::StrCat(prefix, field.name());
    const bool is_mapping =
        field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field.is_repeated();
    if (is_mapping) {
      AddKeys(message.GetReflection()->GetMessage(message, &field), path + ".", origins, keys);
      continue;
    }
    const auto origin = origins.find(path);
    keys->push_back({path, CellText(values.at(field.name())),
                     origin == origins.end() ? "data folder" : origin->second.text,
                     field.options().GetExtension(v1::key).doc()});
  }
}

// Clears, one by one, the keys of `part` (a message within `whole`) that resolving brings back.
void Shorten(const v1::ExperimentSpec& resolved, v1::ExperimentSpec* whole, Message* part) {
  const google::protobuf::Descriptor& type = *part->GetDescriptor();
  const Reflection& reflection = *part->GetReflection();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.is_repeated() || !reflection.HasField(*part, &field)) continue;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Message* inner = reflection.MutableMessage(part, &field);
      Shorten(resolved, whole, inner);
      if (inner->ByteSizeLong() > 0) continue;
    }
    const std::unique_ptr<Message> kept(part->New());
    kept->CopyFrom(*part);
    reflection.ClearField(part, &field);
    const auto again = ResolveSpec(*whole);
    const bool same =
        again.ok() && google::protobuf::util::MessageDifferencer::Equals(*again, resolved);
    if (!same) reflection.SwapFields(part, kept.get(), {&field});
  }
}

}  // namespace

std::vector<ExplainedKey> Explain(const v1::ExperimentSpec& resolved, const SpecOrigins& origins) {
  std::vector<ExplainedKey> keys;
  AddKeys(resolved, "", origins, &keys);
  return keys;
}

v1::ExperimentSpec Shortened(const v1::ExperimentSpec& resolved) {
  v1::ExperimentSpec whole = resolved;
  Shorten(resolved, &whole, &whole);
  return whole;
}

}  // namespace ddl::cli
