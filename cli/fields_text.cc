// The texts of fields.h: JSON, YAML and CSV of a tree.
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "cli/fields.h"

namespace ddl::cli {
namespace {

// Bytes that are not UTF-8 become U+FFFD instead of an exception.
std::string Dump(const Json& tree, int indent) {
  return tree.dump(indent, ' ', false, Json::error_handler_t::replace);
}

bool IsLeaf(const Json& tree) { return !tree.is_structured() || tree.empty(); }

// A JSON scalar is a YAML scalar, but readers of YAML 1.1 want a point in a number with exponent.
std::string YamlScalar(const Json& value) {
  std::string text = Dump(value, -1);
  if (!value.is_number_float()) return text;
  const size_t exponent = text.find('e');
  if (exponent != std::string::npos && text.find('.') == std::string::npos) {
    text.insert(exponent, ".0");
  }
  return text;
}

void AppendYaml(const Json& tree, int indent, std::string* text) {
  const std::string margin(static_cast<size_t>(indent), ' ');
  const auto append_value = [&](const Json& value) {
    if (IsLeaf(value)) {
      absl::StrAppend(text, " ", YamlScalar(value), "\n");
    } else {
      absl::StrAppend(text, "\n");
      AppendYaml(value, indent + 2, text);
    }
  };
  if (tree.is_array()) {
    for (const Json& element : tree) {
      if (IsLeaf(element)) {
        absl::StrAppend(text, margin, "- ", YamlScalar(element), "\n");
        continue;
      }
      std::string nested;  // The first line of the element stands behind the dash.
      AppendYaml(element, indent + 2, &nested);
      absl::StrAppend(text, margin, "- ",
                      absl::string_view(nested).substr(static_cast<size_t>(indent) + 2));
    }
    return;
  }
  for (const auto& [key, value] : tree.items()) {
    absl::StrAppend(text, margin, YamlScalar(Json(key)), ":");
    append_value(value);
  }
}

std::string CsvCell(absl::string_view cell) {
  if (cell.find_first_of(",\"\r\n") == absl::string_view::npos) return std::string(cell);
  return absl::StrCat("\"", absl::StrReplaceAll(cell, {{"\"", "\"\""}}), "\"");
}

}  // namespace

std::string CellText(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return Dump(value, -1);
  std::vector<std::string> parts;
  for (const Json& element : value) parts.push_back(CellText(element));
  return absl::StrJoin(parts, ";");
}

std::string JsonText(const Json& tree) { return Dump(tree, 2) + "\n"; }

std::string JsonLine(const Json& tree) { return Dump(tree, -1) + "\n"; }

std::string YamlText(const Json& tree) {
  if (IsLeaf(tree)) return YamlScalar(tree) + "\n";
  std::string text;
  AppendYaml(tree, 0, &text);
  return text;
}

std::string CsvRow(const std::vector<std::string>& cells) {
  return absl::StrCat(absl::StrJoin(cells, ",",
                                    [](std::string* out, const std::string& cell) {
                                      absl::StrAppend(out, CsvCell(cell));
                                    }),
                      "\n");
}

}  // namespace ddl::cli
