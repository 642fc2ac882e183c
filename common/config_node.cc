#include "common/config_node.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/names.h"
#include "common/numbers.h"

namespace ddl {
namespace {

constexpr size_t kMaxShownErrors = 100;

}  // namespace

std::string PlaceText(const Place& place) {
  std::string source = place.source ? *place.source : std::string();
  if (place.line == 0) return source;
  return absl::StrCat(source, ":", place.line, ":", place.column);
}

const ConfigNode* ConfigNode::Find(absl::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

ConfigNode* ConfigNode::Find(absl::string_view key) {
  return const_cast<ConfigNode*>(static_cast<const ConfigNode*>(this)->Find(key));
}

std::string Describe(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::kNull: return "nothing";
    case ConfigNode::Kind::kList: return "a list";
    case ConfigNode::Kind::kMap: return "a mapping";
    case ConfigNode::Kind::kScalar: break;
  }
  if (node.style == ConfigNode::Style::kPlain && LooksTyped(node.text)) return node.text;
  return absl::StrCat("the text ", Quoted(node.text));
}

bool LooksTyped(absl::string_view plain) {
  static constexpr std::array<absl::string_view, 12> kWords = {
      "true", "false", "null", "yes", "no", "on", "off", "~", ".nan", ".inf", "-.inf", "+.inf"};
  if (plain.empty()) return true;
  for (const absl::string_view word : kWords) {
    if (absl::EqualsIgnoreCase(plain, word)) return true;
  }
  return ParseReal(plain).ok();
}

void ConfigErrors::Add(const Place& place, const std::string& path, const std::string& rule) {
  std::string text = PlaceText(place);
  if (!path.empty()) absl::StrAppend(&text, text.empty() ? "" : ": ", path);
  absl::StrAppend(&text, text.empty() ? "" : ": ", rule);
  errors_.push_back({place, std::move(text)});
}

absl::Status ConfigErrors::ToStatus() const {
  if (errors_.empty()) return absl::OkStatus();
  std::vector<const std::string*> sources;  // In the order of their first error.
  for (const Error& error : errors_) {
    if (std::find(sources.begin(), sources.end(), error.place.source.get()) == sources.end()) {
      sources.push_back(error.place.source.get());
    }
  }
  const auto key = [&](const Error& error) {
    return std::make_tuple(std::find(sources.begin(), sources.end(), error.place.source.get()),
                           error.place.line, error.place.column);
  };
  std::vector<Error> sorted = errors_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Error& a, const Error& b) { return key(a) < key(b); });
  std::vector<std::string> lines;
  for (const Error& error : sorted) {
    if (lines.size() == kMaxShownErrors) {
      lines.push_back(absl::StrCat("and ", sorted.size() - kMaxShownErrors, " more"));
      break;
    }
    lines.push_back(error.text);
  }
  return absl::InvalidArgumentError(absl::StrJoin(lines, "\n"));
}

std::string JoinPath(absl::string_view parent, absl::string_view key) {
  return parent.empty() ? std::string(key) : absl::StrCat(parent, ".", key);
}

}  // namespace ddl
