// Protobuf messages as JSON trees, by reflection: what -o json, jsonl, yaml and csv print.
//
// Keys are field names. Every field is there, defaults too; absent messages and absent optional
// scalars are null. 64-bit integers are numbers, NaN and infinities null, timestamps RFC 3339 in
// UTC, enums their lower-case word. Pure.
#pragma once

#include <google/protobuf/message.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace ddl::cli {

using Json = nlohmann::ordered_json;

Json FieldsOf(const google::protobuf::Message& message);

// Dotted paths of the scalars of a message type, for the header of a CSV: singular messages are
// entered, repeated messages and maps left out.
std::vector<std::string> ScalarPaths(const google::protobuf::Descriptor& type);

// The value at a dotted path; null when a part is absent.
const Json& At(const Json& tree, const std::string& path);

// Text of one value in a CSV cell: round-trip numbers, empty for null, ';' between elements.
std::string CellText(const Json& value);

std::string JsonText(const Json& tree);  // Indented, with a newline at the end.
std::string JsonLine(const Json& tree);  // One line, with a newline at the end.
std::string YamlText(const Json& tree);  // Block style, readable by any YAML 1.1 or 1.2 reader.
std::string CsvRow(const std::vector<std::string>& cells);

absl::Time TimeOf(const google::protobuf::Timestamp& time);
std::string Rfc3339(absl::Time time);  // UTC.

}  // namespace ddl::cli
