#include "common/strict_json.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/names.h"

namespace ddl {
namespace {

using nlohmann::json;

// Follows the parser and keeps the first broken rule; what comes after it is thrown away.
class Strictness {
 public:
  explicit Strictness(int max_depth) : max_depth_(max_depth) {}

  bool Keep(int depth, json::parse_event_t event, const json& parsed) {
    if (!error_.empty()) return false;
    switch (event) {
      case json::parse_event_t::object_start:
        keys_.emplace_back();
        CheckDepth(depth);
        break;
      case json::parse_event_t::array_start: CheckDepth(depth); break;
      case json::parse_event_t::object_end: keys_.pop_back(); break;
      case json::parse_event_t::key: CheckKey(parsed.get_ref<const std::string&>()); break;
      default: break;
    }
    return error_.empty();
  }
  const std::string& error() const { return error_; }

 private:
  void CheckDepth(int outer) {
    if (outer >= max_depth_) error_ = absl::StrCat("JSON is deeper than ", max_depth_, " levels");
  }
  void CheckKey(const std::string& key) {
    if (!keys_.back().insert(key).second) {
      error_ = absl::StrCat("JSON key ", Quoted(key), " appears twice");
    }
  }

  int max_depth_;
  std::vector<std::set<std::string>> keys_;  // Of the objects that are open.
  std::string error_;
};

// The library's messages begin with "[json.exception.parse_error.101] parse error " and end with
// the text that it had read: any bytes, of any length.
std::string Reason(const std::string& message) {
  constexpr size_t kShownBytes = 200;
  const size_t end = message.find("] ");
  std::string reason = message.substr(end == std::string::npos ? 0 : end + 2, kShownBytes);
  std::replace_if(
      reason.begin(), reason.end(), [](char c) { return !absl::ascii_isprint(c); }, '?');
  return reason;
}

}  // namespace

absl::StatusOr<json> ParseStrictJson(absl::string_view text, int max_depth) {
  Strictness strictness(max_depth);
  try {
    json value = json::parse(text.begin(), text.end(),
                             [&](int depth, json::parse_event_t event, const json& parsed) {
                               return strictness.Keep(depth, event, parsed);
                             });
    if (!strictness.error().empty()) return absl::DataLossError(strictness.error());
    return value;
  } catch (const json::exception& exception) {
    return absl::DataLossError(absl::StrCat("not JSON: ", Reason(exception.what())));
  }
}

}  // namespace ddl
