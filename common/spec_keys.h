// What the (ddl.v1.key) options of a message say about its keys, read by reflection: the one
// description of every default, range, unit and word list.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/config_node.h"
#include "common/numbers.h"
#include "proto/ddl/v1/options.pb.h"

namespace ddl {

const v1::Key& KeyOf(const google::protobuf::FieldDescriptor& field);
NumberUnit UnitOf(const google::protobuf::FieldDescriptor& field);
bool IsMessage(const google::protobuf::FieldDescriptor& field);

// The key `name` of a mapping described by `mapping`, or null; keys that only programs fill are
// not there for users.
const google::protobuf::FieldDescriptor* FindKey(const google::protobuf::Descriptor& mapping,
                                                 absl::string_view name);
std::vector<std::string> KeysOf(const google::protobuf::Descriptor& mapping);

// The key that `name` most likely means, or empty.
std::string NearestKey(const google::protobuf::Descriptor& mapping, absl::string_view name);

// `unknown key "lrr" (did you mean "lr"?)`.
std::string UnknownKey(const google::protobuf::Descriptor& mapping, absl::string_view name);

// The field at "model.residual.kind". kInvalidArgument says which part is unknown, with a
// suggestion: `model.residul: unknown key "residul" (did you mean "residual"?)`.
absl::StatusOr<const google::protobuf::FieldDescriptor*> FindPath(
    const google::protobuf::Descriptor& root, absl::string_view path);

// Sets, or for a list adds to, a field that is no mapping from a scalar. Checks the type alone.
absl::Status SetScalar(const ConfigNode& scalar, const google::protobuf::FieldDescriptor& field,
                       google::protobuf::Message* message);

// Sets every key of `message` and of the mappings in it that has a default, except `skipped` ones.
void FillDefaults(google::protobuf::Message* message,
                  const std::vector<absl::string_view>& skipped = {});

// Reports every key that is absent but required, or has a value outside its range, words or rule:
// the path and the rule broken. Paths begin with `parent`.
using ReportKey = std::function<void(const std::string& path, const std::string& rule)>;
void CheckKeys(const google::protobuf::Message& message, const std::string& parent,
               const ReportKey& report, const std::vector<absl::string_view>& skipped = {});

// The value of a set scalar field, or of one item of a list, as a spec would write it, unquoted.
std::string ScalarText(const google::protobuf::Message& message,
                       const google::protobuf::FieldDescriptor& field, int item = -1);

}  // namespace ddl
