// Puts what was written (a ConfigNode) into a message, key by key, by the message's descriptor.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <set>
#include <string>

#include "common/config_node.h"

namespace ddl {

// Which keys were written, by path, and which of them could not be read.
struct FilledKeys {
  std::map<std::string, Place> places;  // Of values; of mappings too.
  std::set<std::string> failed;
};

// Reads every key of the mapping `node` into `message`, whose own path is `path`. Types are checked
// here, ranges by ResolveSpec; unknown keys and wrong types go to `errors`. A list replaces the one
// that was there; a mapping is merged.
void FillMessage(const ConfigNode& node, const std::string& path,
                 google::protobuf::Message* message, FilledKeys* filled, ConfigErrors* errors);

// As FillMessage, for the one key at `path` ("model.residual.kind") of `root`.
void FillPath(const ConfigNode& value, const std::string& path, google::protobuf::Message* root,
              FilledKeys* filled, ConfigErrors* errors);

}  // namespace ddl
