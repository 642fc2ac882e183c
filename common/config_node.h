// A configuration as it was written, before anyone knows what its keys mean: a tree of maps, lists
// and scalars with places, and the list of what is wrong with it.
//
// It knows neither YAML nor protobuf; the YAML reader, overrides and sweep values make such trees.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace ddl {

// Where something was written. Lines and columns count from 1; line 0 is the source as a whole.
struct Place {
  std::shared_ptr<const std::string> source;  // File name, or "override a.b=v".
  int line = 0;
  int column = 0;
};
std::string PlaceText(const Place& place);  // "tiny.yaml:4:12", "override a.b=v".

struct ConfigNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  // What is known of a scalar's type: a plain one may be a number, a quoted one is a text, an
  // untyped one (from a command line) is whatever its key takes.
  enum class Style { kPlain, kQuoted, kUntyped };
  struct Entry;

  Kind kind = Kind::kNull;
  Style style = Style::kPlain;
  std::string text;  // Of a scalar.
  Place place;
  std::vector<ConfigNode> items;  // Of a list.
  std::vector<Entry> entries;     // Of a map, in the order written; keys are unique.

  const ConfigNode* Find(absl::string_view key) const;  // Null when this map has no such key.
  ConfigNode* Find(absl::string_view key);
};

struct ConfigNode::Entry {
  std::string key;
  Place place;  // Of the key.
  ConfigNode value;
};

// "the text \"x\"", "the number 5", "a list", "a mapping", "nothing": for messages.
std::string Describe(const ConfigNode& node);

// Whether a plain scalar is a boolean, null or number to a YAML reader, rather than a text.
bool LooksTyped(absl::string_view plain);

// Everything wrong with one configuration.
class ConfigErrors {
 public:
  // `path` is the key ("model.d_model") or empty; `rule` names the value.
  void Add(const Place& place, const std::string& path, const std::string& rule);
  bool empty() const { return errors_.empty(); }

  // kInvalidArgument with one line for each, sorted by place within a source, at most 100.
  absl::Status ToStatus() const;

 private:
  struct Error {
    Place place;
    std::string text;
  };
  std::vector<Error> errors_;
};

// "a.b" from "a" and "b"; "b" from "" and "b".
std::string JoinPath(absl::string_view parent, absl::string_view key);

}  // namespace ddl
