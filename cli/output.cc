#include "cli/output.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/terminal_text.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

using google::protobuf::Message;

std::string DefaultCell(const Json& value, const Io& io) {
  if (value.is_null()) return "-";
  if (value.is_number_float()) return absl::StrCat(value.get<double>());
  std::string text = CellText(value);
  absl::Time time;
  if (text.size() > 19 && text[10] == 'T' &&
      absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) {
    return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, io.zone);
  }
  return text.empty() ? "-" : text;
}

// The columns named by --columns, or those of the verb.
absl::StatusOr<std::vector<Column>> ChosenColumns(const Listing& listing,
                                                  const Arguments& arguments) {
  std::vector<Column> chosen;
  if (!arguments.Has("columns")) {
    for (const Column& column : listing.columns) {
      if (!column.wide_only || arguments.output == Format::kWide) chosen.push_back(column);
    }
    return chosen;
  }
  const std::vector<std::string> paths = ScalarPaths(*listing.type);
  for (const std::string& name :
       std::vector<std::string>(absl::StrSplit(arguments.Get("columns"), ','))) {
    const auto known = std::find_if(listing.columns.begin(), listing.columns.end(),
                                    [&](const Column& column) { return column.path == name; });
    if (known != listing.columns.end()) {
      chosen.push_back(*known);
    } else if (std::find(paths.begin(), paths.end(), name) != paths.end()) {
      chosen.push_back({.header = absl::AsciiStrToUpper(name), .path = name});
    } else {
      const std::string nearest = DidYouMean(name, paths);
      return absl::InvalidArgumentError(
          absl::StrCat("--columns: no column ", Quoted(name),
                       nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)"),
                       "; there are ", absl::StrJoin(paths, ", ")));
    }
  }
  return chosen;
}

absl::Status PrintListTable(const Listing& listing, const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const std::vector<Column> columns, ChosenColumns(listing, arguments));
  if (listing.rows.empty()) {
    *io.err << listing.none << "\n";
    return absl::OkStatus();
  }
  std::vector<std::vector<Cell>> rows(1);
  std::vector<bool> right;
  for (const Column& column : columns) {
    rows[0].push_back({column.header});
    right.push_back(column.right);
  }
  for (const Message* message : listing.rows) {
    const Json tree = FieldsOf(*message);
    std::vector<Cell>& cells = rows.emplace_back();
    for (const Column& column : columns) {
      cells.push_back({column.text ? column.text(*message) : DefaultCell(At(tree, column.path), io),
                       column.color ? column.color(*message) : 0});
    }
  }
  *io.out << TableText(rows, right, arguments.color);
  return absl::OkStatus();
}

absl::Status PrintListCsv(const Listing& listing, const Arguments& arguments, Io& io) {
  std::vector<std::string> paths = ScalarPaths(*listing.type);
  if (arguments.Has("columns")) {
    DDL_ASSIGN_OR_RETURN(const std::vector<Column> columns, ChosenColumns(listing, arguments));
    paths.clear();
    for (const Column& column : columns) paths.push_back(column.path);
  }
  *io.out << CsvRow(paths);
  for (const Message* message : listing.rows) {
    const Json tree = FieldsOf(*message);
    std::vector<std::string> cells;
    cells.reserve(paths.size());
    for (const std::string& path : paths) cells.push_back(CellText(At(tree, path)));
    *io.out << CsvRow(cells);
  }
  return absl::OkStatus();
}

void AppendFlat(const Json& tree, const std::string& prefix, std::vector<std::string>* paths,
                std::vector<std::string>* cells) {
  for (const auto& [key, value] : tree.items()) {
    if (value.is_object()) {
      AppendFlat(value, absl::StrCat(prefix, key, "."), paths, cells);
    } else if (!value.is_array() || value.empty() || !value[0].is_structured()) {
      paths->push_back(prefix + key);
      cells->push_back(CellText(value));
    }
  }
}

}  // namespace

absl::Status PrintList(const Listing& listing, const Arguments& arguments, Io& io) {
  switch (arguments.output) {
    case Format::kTable:
    case Format::kWide: return PrintListTable(listing, arguments, io);
    case Format::kCsv: return PrintListCsv(listing, arguments, io);
    case Format::kJson:
    case Format::kYaml: {
      Json list = Json::array();
      for (const Message* message : listing.rows) list.push_back(FieldsOf(*message));
      *io.out << (arguments.output == Format::kJson ? JsonText(list) : YamlText(list));
      return absl::OkStatus();
    }
    case Format::kJsonLines:
      for (const Message* message : listing.rows) *io.out << JsonLine(FieldsOf(*message));
      return absl::OkStatus();
    case Format::kName:
      for (const Message* message : listing.rows) {
        *io.out << CellText(At(FieldsOf(*message), listing.name_path)) << "\n";
      }
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status PrintTree(const Json& tree, const std::string& name_path, const std::string& table,
                       const Arguments& arguments, Io& io) {
  switch (arguments.output) {
    case Format::kTable:
    case Format::kWide: *io.out << table; break;
    case Format::kJson: *io.out << JsonText(tree); break;
    case Format::kJsonLines: *io.out << JsonLine(tree); break;
    case Format::kYaml: *io.out << YamlText(tree); break;
    case Format::kName: *io.out << CellText(At(tree, name_path)) << "\n"; break;
    case Format::kCsv: {
      std::vector<std::string> paths;
      std::vector<std::string> cells;
      AppendFlat(tree, "", &paths, &cells);
      *io.out << CsvRow(paths) << CsvRow(cells);
      break;
    }
  }
  return absl::OkStatus();
}

absl::Status PrintObject(const Message& object, const std::string& name_path,
                         const std::string& table, const Arguments& arguments, Io& io) {
  return PrintTree(FieldsOf(object), name_path, table, arguments, io);
}

absl::Status PrintRows(const Json& rows, const std::vector<std::string>& names,
                       const std::string& table, const Arguments& arguments, Io& io) {
  switch (arguments.output) {
    case Format::kTable:
    case Format::kWide: *io.out << table; return absl::OkStatus();
    case Format::kJson: *io.out << JsonText(rows); return absl::OkStatus();
    case Format::kYaml: *io.out << YamlText(rows); return absl::OkStatus();
    default: break;
  }
  if (arguments.output == Format::kCsv) *io.out << CsvRow(names);
  for (const Json& row : rows) {
    if (arguments.output == Format::kJsonLines) {
      *io.out << JsonLine(row);
    } else if (arguments.output == Format::kName) {
      *io.out << CellText(At(row, names[0])) << "\n";
    } else {
      std::vector<std::string> cells;
      cells.reserve(names.size());
      for (const std::string& name : names) cells.push_back(CellText(At(row, name)));
      *io.out << CsvRow(cells);
    }
  }
  return absl::OkStatus();
}

}  // namespace ddl::cli
