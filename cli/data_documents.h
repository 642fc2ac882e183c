// Documents out of the files that people have: text and JSON lines.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ddl::cli {

// How the documents of a file are told apart.
struct DocumentLayout {
  // Of a text file: a POSIX extended regular expression; a line in which it is found parts two
  // documents and belongs to neither. Empty: the file is one document.
  std::string separator;
  bool lines = false;          // Every line of a text file is a document.
  std::string field = "text";  // Of a JSON line: the string that is the document.
};

// kInvalidArgument: a bad expression, an empty field, `separator` together with `lines`.
absl::Status CheckLayout(const DocumentLayout& layout);

// Files as they are; a folder becomes its *.txt, *.text, *.md, *.jsonl and *.ndjson files by name.
// kNotFound; kInvalidArgument for a folder without such files.
absl::StatusOr<std::vector<std::string>> ExpandInputs(const std::vector<std::string>& paths);

// Calls `take` for every document of the file in order, blank ones included, and stops at its first
// error. A name ending in .jsonl or .ndjson is JSON lines, everything else text. White space at
// both ends of a document and a byte-order mark are cut off. kInvalidArgument with file and line:
// a line that is no JSON object or lacks the field, a NUL byte (a binary file).
absl::Status ReadDocuments(const std::string& path, const DocumentLayout& layout,
                           const std::function<absl::Status(absl::string_view)>& take);

}  // namespace ddl::cli
