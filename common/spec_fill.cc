#include "common/spec_fill.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/spec_keys.h"

namespace ddl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void FillList(const ConfigNode& node, const FieldDescriptor& field, const std::string& path,
              Message* message, FilledKeys* filled, ConfigErrors* errors) {
  if (node.kind != ConfigNode::Kind::kList) {
    errors->Add(node.place, path, absl::StrCat("must be a list, got ", Describe(node)));
    filled->failed.insert(path);
    return;
  }
  message->GetReflection()->ClearField(message, &field);
  for (const ConfigNode& item : node.items) {
    const absl::Status status = SetScalar(item, field, message);
    if (status.ok()) continue;
    errors->Add(item.place, path, std::string(status.message()));
    filled->failed.insert(path);
  }
}

void FillField(const ConfigNode& node, const FieldDescriptor& field, const std::string& path,
               Message* message, FilledKeys* filled, ConfigErrors* errors) {
  filled->places[path] = node.place;
  if (IsMessage(field) && !field.is_repeated()) {
    FillMessage(node, path, message->GetReflection()->MutableMessage(message, &field), filled,
                errors);
  } else if (field.is_repeated()) {
    FillList(node, field, path, message, filled, errors);
  } else {
    const absl::Status status = SetScalar(node, field, message);
    if (status.ok()) return;
    errors->Add(node.place, path, std::string(status.message()));
    filled->failed.insert(path);
  }
}

}  // namespace

void FillMessage(const ConfigNode& node, const std::string& path, Message* message,
                 FilledKeys* filled, ConfigErrors* errors) {
  if (node.kind != ConfigNode::Kind::kMap) {
    errors->Add(node.place, path, absl::StrCat("must be a mapping, got ", Describe(node)));
    filled->failed.insert(path);
    return;
  }
  for (const ConfigNode::Entry& entry : node.entries) {
    const FieldDescriptor* field = FindKey(*message->GetDescriptor(), entry.key);
    if (field == nullptr) {
      errors->Add(entry.place, path, UnknownKey(*message->GetDescriptor(), entry.key));
      // What it was meant for is not reported as missing besides.
      filled->failed.insert(JoinPath(path, NearestKey(*message->GetDescriptor(), entry.key)));
      continue;
    }
    FillField(entry.value, *field, JoinPath(path, entry.key), message, filled, errors);
  }
}

void FillPath(const ConfigNode& value, const std::string& path, Message* root, FilledKeys* filled,
              ConfigErrors* errors) {
  const auto found = FindPath(*root->GetDescriptor(), path);
  if (!found.ok()) {
    errors->Add(value.place, path, std::string(found.status().message()));
    return;
  }
  Message* message = root;
  const std::vector<std::string> parts = absl::StrSplit(path, '.');
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(parts[i]);
    message = message->GetReflection()->MutableMessage(message, field);
  }
  FillField(value, **found, path, message, filled, errors);
}

}  // namespace ddl
