// Prints what a verb found, in the format that was asked for. Every verb that prints data goes
// through here, so that -o means the same everywhere.
#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/fields.h"
#include "cli/verb.h"

namespace ddl::cli {

// A column of a table. `text` is its cell; absent, the field `path` is shown by its type.
struct Column {
  std::string header;
  std::string path;  // Dotted field path; also what --columns calls it.
  std::function<std::string(const google::protobuf::Message& row)> text = nullptr;
  std::function<int(const google::protobuf::Message& row)> color = nullptr;  // SGR number or 0.
  bool right = false;      // Aligned right, as numbers are.
  bool wide_only = false;  // Shown by -o wide alone.
};

// A list of messages of one type.
struct Listing {
  const google::protobuf::Descriptor* type = nullptr;
  std::vector<const google::protobuf::Message*> rows;
  std::vector<Column> columns;
  std::string name_path = "id";  // What -o name prints.
  std::string none;              // Said on err for an empty table: "no runs".
};

// Writes the list; an empty one is `[]` as JSON, a header as CSV and nothing as a table.
// kInvalidArgument for an unknown name in --columns.
absl::Status PrintList(const Listing& listing, const Arguments& arguments, Io& io);

// Writes one object. As a table it is `table`, which the verb has made.
absl::Status PrintObject(const google::protobuf::Message& object, const std::string& name_path,
                         const std::string& table, const Arguments& arguments, Io& io);
// The same for what is no message. -o name prints the value at `name_path`; CSV has one row.
absl::Status PrintTree(const Json& tree, const std::string& name_path, const std::string& table,
                       const Arguments& arguments, Io& io);

// A list of flat objects that are no messages; `names` are the columns of its CSV, and the first of
// them is what -o name prints.
absl::Status PrintRows(const Json& rows, const std::vector<std::string>& names,
                       const std::string& table, const Arguments& arguments, Io& io);

struct Cell {
  std::string text;
  int color = 0;  // SGR number; 0: none.
};

// Rows of cells in columns as wide as their widest cell, two spaces apart. The texts are made safe
// for a terminal here. `right` says which columns are aligned right.
std::string TableText(const std::vector<std::vector<Cell>>& rows, const std::vector<bool>& right,
                      bool color);

// How people read values. NaN and what is absent are "-".
std::string CountText(double count);      // 950, 12.4M, 1.2G.
std::string LossText(double loss);        // Four decimals.
std::string SecondsText(double seconds);  // 42s, 3m05s, 2h10m.
std::string BytesText(double bytes);      // 512 B, 1.5 MiB.
std::string LocalTime(const google::protobuf::Timestamp& time, absl::TimeZone zone);

// The colour of a run's or worker's state.
int ColorOfState(absl::string_view state);

}  // namespace ddl::cli
