#include "cli/contexts.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/files.h"
#include "common/names.h"
#include "common/status.h"
#include "common/yaml.h"
#include "common/yaml_text.h"

namespace ddl::cli {
namespace {

constexpr char kDefaultAddress[] = "127.0.0.1:7070";

std::string Text(const ConfigNode& node, const std::string& path, ConfigErrors* errors) {
  if (node.kind == ConfigNode::Kind::kScalar) return node.text;
  errors->Add(node.place, path, absl::StrCat("must be a text, got ", Describe(node)));
  return "";
}

void UnknownKey(const ConfigNode::Entry& entry, const std::string& path,
                const std::vector<std::string>& known, ConfigErrors* errors) {
  const std::string nearest = DidYouMean(entry.key, known);
  errors->Add(entry.place, path,
              absl::StrCat("no such key",
                           nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)"),
                           "; there are ", absl::StrJoin(known, ", ")));
}

Endpoint ReadEndpoint(const ConfigNode& node, const std::string& path, ConfigErrors* errors) {
  Endpoint endpoint;
  if (node.kind != ConfigNode::Kind::kMap) {
    errors->Add(node.place, path, absl::StrCat("must be a mapping, got ", Describe(node)));
    return endpoint;
  }
  for (const ConfigNode::Entry& entry : node.entries) {
    const std::string key = JoinPath(path, entry.key);
    if (entry.key == "addr") {
      endpoint.address = Text(entry.value, key, errors);
    } else if (entry.key == "token-file") {
      endpoint.token_file = Text(entry.value, key, errors);
    } else if (entry.key == "tls-ca") {
      endpoint.tls_ca = Text(entry.value, key, errors);
    } else {
      UnknownKey(entry, key, {"addr", "token-file", "tls-ca"}, errors);
    }
  }
  if (endpoint.address.empty()) errors->Add(node.place, path, "needs the key addr");
  return endpoint;
}

void ReadTree(const ConfigNode& tree, Contexts* contexts, ConfigErrors* errors) {
  if (tree.kind == ConfigNode::Kind::kNull) return;
  if (tree.kind != ConfigNode::Kind::kMap) {
    errors->Add(tree.place, "", absl::StrCat("must be a mapping, got ", Describe(tree)));
    return;
  }
  for (const ConfigNode::Entry& entry : tree.entries) {
    if (entry.key == "current") {
      contexts->current = Text(entry.value, "current", errors);
    } else if (entry.key != "contexts") {
      UnknownKey(entry, entry.key, {"contexts", "current"}, errors);
    } else if (entry.value.kind != ConfigNode::Kind::kMap) {
      errors->Add(entry.value.place, "contexts",
                  absl::StrCat("must be a mapping, got ", Describe(entry.value)));
    } else {
      for (const ConfigNode::Entry& one : entry.value.entries) {
        const std::string path = JoinPath("contexts", one.key);
        if (const absl::Status named = CheckName(one.key); !named.ok()) {
          errors->Add(one.place, path, std::string(named.message()));
        }
        contexts->by_name[one.key] = ReadEndpoint(one.value, path, errors);
      }
    }
  }
}

}  // namespace

std::string ContextFile(const Io& io) {
  const std::string home = io.Env("HOME");
  const std::string config =
      io.Env("XDG_CONFIG_HOME", home.empty() ? "" : absl::StrCat(home, "/.config"));
  return config.empty() ? "" : absl::StrCat(config, "/ddl/config.yaml");
}

absl::StatusOr<Contexts> ReadContexts(const std::string& path) {
  Contexts contexts;
  if (path.empty() || !FileExists(path)) return contexts;
  ConfigErrors errors;
  DDL_ASSIGN_OR_RETURN(const ConfigNode tree, ReadYaml(path, &errors));
  if (errors.empty()) ReadTree(tree, &contexts, &errors);
  DDL_RETURN_IF_ERROR(errors.ToStatus());
  return contexts;
}

absl::Status WriteContexts(const std::string& path, const Contexts& contexts) {
  if (path.empty()) {
    return absl::FailedPreconditionError(
        "neither XDG_CONFIG_HOME nor HOME says where the configuration file lies");
  }
  std::string text;
  if (!contexts.current.empty()) {
    absl::StrAppend(&text, "current: ", YamlScalar(contexts.current), "\n");
  }
  if (!contexts.by_name.empty()) absl::StrAppend(&text, "contexts:\n");
  for (const auto& [name, endpoint] : contexts.by_name) {
    absl::StrAppend(&text, "  ", YamlScalar(name), ":\n    addr: ", YamlScalar(endpoint.address),
                    "\n");
    for (const auto& [key, value] :
         {std::pair("token-file", &endpoint.token_file), std::pair("tls-ca", &endpoint.tls_ca)}) {
      if (!value->empty()) absl::StrAppend(&text, "    ", key, ": ", YamlScalar(*value), "\n");
    }
  }
  DDL_RETURN_IF_ERROR(MakeFolders(std::filesystem::path(path).parent_path().string()));
  return WriteFileAtomically(path, text);
}

absl::Status CheckContext(const Contexts& contexts, const std::string& name) {
  if (contexts.by_name.count(name) > 0) return absl::OkStatus();
  std::vector<std::string> names;
  for (const auto& [known, endpoint] : contexts.by_name) names.push_back(known);
  const std::string nearest = DidYouMean(name, names);
  return absl::NotFoundError(
      absl::StrCat("no context ", Quoted(name),
                   nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)"),
                   "; `ddl context ls` lists them"));
}

absl::StatusOr<Endpoint> EndpointOf(const Arguments& arguments, const Io& io) {
  const bool named = arguments.Has("context");
  Endpoint endpoint;
  const bool elsewhere = arguments.Has("addr") || (!named && !io.Env("DDL_ADDR").empty());
  if (!elsewhere) {
    DDL_ASSIGN_OR_RETURN(const Contexts contexts, ReadContexts(ContextFile(io)));
    const std::string name = arguments.Get("context", io.Env("DDL_CONTEXT", contexts.current));
    if (!name.empty()) {
      DDL_RETURN_IF_ERROR(CheckContext(contexts, name));
      endpoint = contexts.by_name.at(name);
    }
  }
  const bool from_context = !endpoint.address.empty();
  const auto choose = [&](const char* flag, const char* variable, std::string* value) {
    if (!from_context && value->empty()) *value = io.Env(variable);
    if (arguments.Has(flag)) *value = arguments.Get(flag);
  };
  choose("addr", "DDL_ADDR", &endpoint.address);
  choose("token-file", "DDL_TOKEN_FILE", &endpoint.token_file);
  choose("tls-ca", "DDL_TLS_CA", &endpoint.tls_ca);
  if (endpoint.address.empty()) endpoint.address = kDefaultAddress;
  return endpoint;
}

}  // namespace ddl::cli
