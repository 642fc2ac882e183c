#include "common/spec_overrides.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/names.h"
#include "common/spec_yaml.h"
#include "common/yaml.h"

namespace ddl {
namespace {

constexpr absl::string_view kOverridePrefix = "override ";

constexpr size_t kMaxOverrideBytes = 16 << 10;
constexpr size_t kMaxCombinations = 10000;

ConfigNode ParseValue(absl::string_view text, const Place& place, ConfigErrors* errors) {
  if (!text.empty() && absl::string_view("[{\"'").find(text[0]) != absl::string_view::npos) {
    ConfigNode node = ParseYaml(text, *place.source, errors);
    if (node.kind == ConfigNode::Kind::kScalar) node.style = ConfigNode::Style::kUntyped;
    return node;
  }
  ConfigNode node;
  node.kind = ConfigNode::Kind::kScalar;
  node.style = ConfigNode::Style::kUntyped;
  node.text = std::string(text);
  node.place = place;
  return node;
}

// Puts `value` at `*at`; keys of a mapping replace keys of one that is there.
void Merge(ConfigNode value, ConfigNode* at) {
  if (value.kind != ConfigNode::Kind::kMap || at->kind != ConfigNode::Kind::kMap) {
    *at = std::move(value);
    return;
  }
  for (ConfigNode::Entry& entry : value.entries) {
    ConfigNode* old = at->Find(entry.key);
    if (old != nullptr) {
      Merge(std::move(entry.value), old);
    } else {
      at->entries.push_back(std::move(entry));
    }
  }
}

// Commas outside quotes and brackets.
std::vector<std::string> SplitAlternatives(absl::string_view value) {
  std::vector<std::string> parts(1);
  int depth = 0;
  char quote = 0;
  for (const char c : value) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      parts.emplace_back();
      continue;
    }
    parts.back().push_back(c);
  }
  return parts;
}

}  // namespace

bool IsOverride(const Place& place) { return absl::StartsWith(*place.source, kOverridePrefix); }

std::vector<Override> ParseOverrides(const std::vector<std::string>& texts, ConfigErrors* errors) {
  std::vector<Override> overrides;
  for (const std::string& text : texts) {
    Override change;
    change.place.source = std::make_shared<const std::string>(
        absl::StrCat(kOverridePrefix, absl::string_view(text).substr(0, 64)));
    const auto refuse = [&](const std::string& rule) { errors->Add(change.place, "", rule); };
    if (text.size() > kMaxOverrideBytes || FirstNonUtf8(text) != absl::string_view::npos) {
      refuse("an override must be UTF-8 of at most 16 KiB");
      continue;
    }
    absl::string_view rest = text;
    if (!rest.empty() && (rest[0] == '+' || rest[0] == '~')) {
      change.mode = rest[0] == '+' ? Override::Mode::kAdd : Override::Mode::kRemove;
      rest.remove_prefix(1);
    }
    const size_t equals = rest.find('=');
    const bool has_value = equals != absl::string_view::npos;
    if (has_value != (change.mode != Override::Mode::kRemove)) {
      refuse("an override is written a.b=value, +a.b=value or ~a.b");
      continue;
    }
    change.path = std::string(rest.substr(0, equals));
    const std::vector<std::string> keys = absl::StrSplit(change.path, '.');
    if (std::find(keys.begin(), keys.end(), "") != keys.end()) {
      refuse(absl::StrCat(Quoted(change.path), " is not a key: words joined by dots"));
      continue;
    }
    if (has_value) change.value = ParseValue(rest.substr(equals + 1), change.place, errors);
    overrides.push_back(std::move(change));
  }
  return overrides;
}

void ApplyOverride(const Override& change, const std::vector<std::string>& keys, ConfigNode* root,
                   ConfigErrors* errors) {
  ConfigNode* at = root;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (at->kind == ConfigNode::Kind::kNull) at->kind = ConfigNode::Kind::kMap;
    if (at->kind != ConfigNode::Kind::kMap) {
      errors->Add(
          change.place, "",
          absl::StrCat(absl::StrJoin(keys.begin(), keys.begin() + static_cast<long>(i), "."),
                       " is not a mapping, but ", Describe(*at)));
      return;
    }
    ConfigNode* next = at->Find(keys[i]);
    const bool last = i + 1 == keys.size();
    if (change.mode == Override::Mode::kRemove && next == nullptr) {
      errors->Add(change.place, "",
                  absl::StrCat(change.path,
                               " is not written, so that ~ has "
                               "nothing to take out"));
      return;
    }
    if (change.mode == Override::Mode::kRemove && last) {
      at->entries.erase(std::find_if(at->entries.begin(), at->entries.end(),
                                     [&](const auto& entry) { return entry.key == keys[i]; }));
      return;
    }
    if (change.mode == Override::Mode::kAdd && last && next != nullptr) {
      errors->Add(change.place, "",
                  absl::StrCat(change.path, " is written already at ", PlaceText(next->place),
                               "; leave out the +"));
      return;
    }
    if (next == nullptr) {
      at->entries.push_back({keys[i], change.place, ConfigNode()});
      next = &at->entries.back().value;
      next->place = change.place;
    }
    at = next;
  }
  Merge(change.value, at);
}

absl::StatusOr<std::vector<std::vector<std::string>>> SplitOverrides(
    const std::vector<std::string>& overrides) {
  std::vector<std::vector<std::string>> combinations(1);
  for (const std::string& text : overrides) {
    const size_t equals = text.find('=');
    std::vector<std::string> alternatives = {text};
    if (equals != std::string::npos && text[0] != '~') {
      alternatives = SplitAlternatives(absl::string_view(text).substr(equals + 1));
      for (std::string& value : alternatives) value.insert(0, text, 0, equals + 1);
    }
    if (combinations.size() * alternatives.size() > kMaxCombinations) {
      return absl::ResourceExhaustedError(
          absl::StrCat("overrides make more than ", kMaxCombinations, " combinations"));
    }
    std::vector<std::vector<std::string>> longer;
    for (const std::vector<std::string>& combination : combinations) {
      for (const std::string& alternative : alternatives) {
        longer.push_back(combination);
        longer.back().push_back(alternative);
      }
    }
    combinations = std::move(longer);
  }
  return combinations;
}

}  // namespace ddl
