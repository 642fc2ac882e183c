#include "tests/proto/compatibility.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"

namespace ddl {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::EnumDescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorSet;

// What a promise is about ("ddl.v1.Run field 3") and what it says ("state string optional").
using Promises = std::map<std::string, std::string>;

void AddEnum(const std::string& scope, const EnumDescriptorProto& type, Promises* promises) {
  for (const auto& value : type.value()) {
    (*promises)[absl::StrCat(scope, ".", type.name(), " value ", value.number())] = value.name();
  }
}

void AddMessage(const std::string& scope, const DescriptorProto& type, Promises* promises) {
  const std::string name = absl::StrCat(scope, ".", type.name());
  for (const FieldDescriptorProto& field : type.field()) {
    (*promises)[absl::StrCat(name, " field ", field.number())] =
        absl::StrCat(field.name(), " ", FieldDescriptorProto::Type_Name(field.type()), " ",
                     field.type_name(), " ", FieldDescriptorProto::Label_Name(field.label()));
  }
  for (const DescriptorProto& nested : type.nested_type()) AddMessage(name, nested, promises);
  for (const EnumDescriptorProto& nested : type.enum_type()) AddEnum(name, nested, promises);
}

Promises PromisesOf(const FileDescriptorSet& files) {
  Promises promises;
  for (const auto& file : files.file()) {
    if (file.package() == "google.protobuf") continue;
    for (const auto& type : file.message_type()) AddMessage(file.package(), type, &promises);
    for (const auto& type : file.enum_type()) AddEnum(file.package(), type, &promises);
    for (const auto& extension : file.extension()) {
      promises[absl::StrCat(extension.extendee(), " field ", extension.number())] =
          absl::StrCat(extension.name(), " ", extension.type_name());
    }
    for (const auto& service : file.service()) {
      for (const auto& method : service.method()) {
        promises[absl::StrCat(file.package(), ".", service.name(), " method ", method.name())] =
            absl::StrCat(method.input_type(), " ", method.client_streaming() ? "stream " : "",
                         method.output_type(), method.server_streaming() ? " stream" : "");
      }
    }
  }
  return promises;
}

}  // namespace

std::vector<std::string> BrokenPromises(const FileDescriptorSet& released,
                                        const FileDescriptorSet& present) {
  const Promises now = PromisesOf(present);
  std::vector<std::string> broken;
  for (const auto& [what, meaning] : PromisesOf(released)) {
    const auto found = now.find(what);
    if (found == now.end()) {
      broken.push_back(absl::StrCat(what, " (", meaning, ") is gone"));
    } else if (found->second != meaning) {
      broken.push_back(absl::StrCat(what, " was ", meaning, " and is ", found->second));
    }
  }
  return broken;
}

std::vector<std::string> Additions(const FileDescriptorSet& released,
                                   const FileDescriptorSet& present) {
  const Promises before = PromisesOf(released);
  std::vector<std::string> added;
  for (const auto& [what, meaning] : PromisesOf(present)) {
    if (before.count(what) == 0) added.push_back(absl::StrCat(what, " (", meaning, ")"));
  }
  return added;
}

}  // namespace ddl
