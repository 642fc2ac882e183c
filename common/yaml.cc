#include "common/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/files.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl {
namespace {

using Source = std::shared_ptr<const std::string>;

Place PlaceOf(const Source& source, const YAML::Mark& mark) {
  if (mark.is_null()) return {source, 0, 0};
  return {source, mark.line + 1, mark.column + 1};
}

// Whether the quoted scalar that begins at `text` ends in it; yaml-cpp takes the end of the file
// for its end. True for what begins with no quote.
bool QuoteCloses(absl::string_view text) {
  if (text.empty() || (text[0] != '"' && text[0] != '\'')) return true;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[0] == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == text[0]) {
      if (text[0] == '"' || i + 1 == text.size() || text[i + 1] != '\'') return true;
      ++i;
    }
  }
  return false;
}

// Builds the tree from events. After a fatal error it ignores the rest, which the limits on the
// text have already bounded.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(absl::string_view text, Source source, ConfigErrors* errors)
      : text_(text), source_(std::move(source)), errors_(*errors) {}

  ConfigNode TakeRoot() { return std::move(root_); }
  bool failed() const { return failed_; }
  int documents() const { return documents_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) Fail(mark, "a second document begins; one file holds one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    ConfigNode node;
    if (Begin(mark, "", anchor, &node)) Add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    Refuse(mark, "aliases (*) are not allowed");
    ConfigNode node;
    if (Begin(mark, "", YAML::NullAnchor, &node)) Add(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    ConfigNode node;
    if (!Begin(mark, tag, anchor, &node)) return;
    if (value.size() > static_cast<size_t>(kMaxYamlScalarBytes)) {
      return Fail(mark, absl::StrCat("a scalar must be at most ", kMaxYamlScalarBytes,
                                     " bytes, got ", value.size()));
    }
    node.kind = ConfigNode::Kind::kScalar;
    node.style = tag == "!" ? ConfigNode::Style::kQuoted : ConfigNode::Style::kPlain;
    node.text = value;
    const auto at = static_cast<size_t>(mark.pos);
    if (node.style == ConfigNode::Style::kQuoted && at < text_.size() &&
        !QuoteCloses(text_.substr(at))) {
      return Fail(mark, "the quote is not closed");
    }
    if (node.style == ConfigNode::Style::kPlain && (value == "~" || value == "null")) {
      node.kind = ConfigNode::Kind::kNull;
    }
    Add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    Open(mark, tag, anchor, ConfigNode::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    Open(mark, tag, anchor, ConfigNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  // A map or list whose end has not come. Keys of a map alternate with values.
  struct Level {
    ConfigNode node;
    bool has_key = false;
    std::string key;
    Place key_place;
    std::map<std::string, Place> keys;  // Of all keys so far.
  };

  void Refuse(const YAML::Mark& mark, const std::string& rule) {
    if (!failed_) errors_.Add(PlaceOf(source_, mark), "", rule);
  }
  void Fail(const YAML::Mark& mark, const std::string& rule) {
    Refuse(mark, rule);
    failed_ = true;
  }

  // Checks what every node has; false when it is to be dropped.
  bool Begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             ConfigNode* node) {
    if (failed_) return false;
    if (++nodes_ > kMaxYamlNodes) {
      Fail(mark, absl::StrCat("more than ", kMaxYamlNodes, " keys and values"));
      return false;
    }
    if (anchor != YAML::NullAnchor) Refuse(mark, "anchors (&) are not allowed");
    const auto at = static_cast<size_t>(mark.pos);
    const bool tagged = !tag.empty() && tag != "?" && tag != "!";
    if (tagged || (at < text_.size() && text_[at] == '!')) Refuse(mark, "tags (!) are not allowed");
    node->place = PlaceOf(source_, mark);
    return true;
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            ConfigNode::Kind kind) {
    Level level;
    level.node.kind = kind;
    if (!Begin(mark, tag, anchor, &level.node)) return;
    if (open_.size() == static_cast<size_t>(kMaxYamlDepth)) {
      return Fail(mark, absl::StrCat("nested deeper than ", kMaxYamlDepth));
    }
    open_.push_back(std::move(level));
  }

  void Close() {
    if (failed_) return;
    ConfigNode node = std::move(open_.back().node);
    open_.pop_back();
    Add(std::move(node));
  }

  void Add(ConfigNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = open_.back();
    if (level.node.kind == ConfigNode::Kind::kList) {
      level.node.items.push_back(std::move(node));
    } else if (!level.has_key) {
      AddKey(std::move(node), &level);
    } else {
      level.has_key = false;
      level.node.entries.push_back({std::move(level.key), level.key_place, std::move(node)});
    }
  }

  void AddKey(ConfigNode node, Level* level) {
    level->has_key = true;
    level->key = node.text;
    level->key_place = node.place;
    if (node.kind != ConfigNode::Kind::kScalar) {
      errors_.Add(node.place, "", absl::StrCat("a key must be a text, got ", Describe(node)));
      level->key.clear();
      return;
    }
    if (node.style == ConfigNode::Style::kPlain && node.text == "<<") {
      errors_.Add(node.place, "", "merge keys (<<) are not allowed");
    }
    const auto [first, is_new] = level->keys.emplace(node.text, node.place);
    if (is_new) return;
    errors_.Add(node.place, "",
                absl::StrCat("key ", Quoted(node.text), " appears twice (first at ",
                             first->second.line, ":", first->second.column, ")"));
  }

  absl::string_view text_;
  Source source_;
  ConfigErrors& errors_;
  std::vector<Level> open_;
  ConfigNode root_;
  int nodes_ = 0;
  int documents_ = 0;
  bool failed_ = false;
};

// Whether the text is cheap enough for yaml-cpp; the first excess goes to `errors`.
bool CheckCost(absl::string_view text, const Source& source, ConfigErrors* errors) {
  if (text.size() > static_cast<size_t>(kMaxYamlBytes)) {
    errors->Add({source, 0, 0}, "",
                absl::StrCat("must be at most 256 KiB, got ", text.size(), " bytes"));
    return false;
  }
  int line = 1;
  size_t line_start = 0;
  int indicators = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto refuse = [&](const std::string& rule) {
      errors->Add({source, line, static_cast<int>(i - line_start) + 1}, "", rule);
      return false;
    };
    if (c == '\n') {
      ++line;
      line_start = i + 1;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t' && c != '\r') || byte == 0x7F) {
      return refuse(absl::StrCat("control character ", byte, " is not allowed"));
    }
    if (i - line_start >= static_cast<size_t>(kMaxYamlLineBytes)) {
      return refuse(absl::StrCat("a line must be at most ", kMaxYamlLineBytes, " bytes"));
    }
    if (absl::string_view("[]{},:?\"'&*!").find(c) != absl::string_view::npos &&
        ++indicators > kMaxYamlIndicators) {
      return refuse(
          absl::StrCat("more than ", kMaxYamlIndicators, " of the characters []{},:?\"'&*!"));
    }
  }
  return true;
}

bool CheckEncoding(absl::string_view text, const Source& source, ConfigErrors* errors) {
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    const size_t bad = FirstNonUtf8(line);
    if (bad == absl::string_view::npos) continue;
    errors->Add({source, number, static_cast<int>(bad) + 1}, "", "is not valid UTF-8");
    return false;
  }
  return true;
}

}  // namespace

ConfigNode ParseYaml(absl::string_view text, const std::string& source_name, ConfigErrors* errors) {
  const auto source = std::make_shared<const std::string>(source_name);
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);  // A byte order mark.
  if (!CheckCost(text, source, errors) || !CheckEncoding(text, source, errors)) return {};
  TreeBuilder builder(text, source, errors);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (builder.documents() < 2 && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::ParserException& error) {
    if (!builder.failed()) {
      errors->Add(PlaceOf(source, error.mark), "", absl::StrCat("is not YAML: ", error.msg));
    }
    return {};
  } catch (const std::exception& error) {
    errors->Add({source, 0, 0}, "", absl::StrCat("is not YAML: ", error.what()));
    return {};
  }
  ConfigNode root = builder.TakeRoot();
  if (root.place.source == nullptr) root.place.source = source;  // An empty text.
  return root;
}

absl::StatusOr<ConfigNode> ReadYaml(const std::string& path, ConfigErrors* errors) {
  const absl::StatusOr<std::string> text = ReadFile(path, kMaxYamlBytes);
  if (absl::IsResourceExhausted(text.status())) {
    errors->Add({std::make_shared<const std::string>(path), 0, 0}, "", "must be at most 256 KiB");
    return ConfigNode();
  }
  if (!text.ok()) return text.status();
  return ParseYaml(*text, path, errors);
}

}  // namespace ddl
