#include "cli/data_documents.h"

#include <regex.h>

#include <array>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/files.h"
#include "common/names.h"
#include "common/status.h"
#include "common/strict_json.h"

namespace ddl::cli {
namespace {

constexpr int kMaxJsonDepth = 64;
constexpr std::array<absl::string_view, 2> kJsonEndings = {".jsonl", ".ndjson"};
constexpr std::array<absl::string_view, 3> kTextEndings = {".txt", ".text", ".md"};

template <typename Endings>
bool EndsWithOneOf(absl::string_view name, const Endings& endings) {
  for (const absl::string_view ending : endings) {
    if (absl::EndsWithIgnoreCase(name, ending)) return true;
  }
  return false;
}

using Take = std::function<absl::Status(absl::string_view)>;

// A compiled POSIX expression.
class Separator {
 public:
  static absl::StatusOr<Separator> Compile(const std::string& text) {
    auto compiled = std::make_unique<regex_t>();
    const int error = regcomp(compiled.get(), text.c_str(), REG_EXTENDED | REG_NOSUB);
    if (error == 0) return Separator(compiled.release());
    std::array<char, 256> reason{};
    regerror(error, compiled.get(), reason.data(), reason.size());
    return absl::InvalidArgumentError(
        absl::StrCat("separator ", Quoted(text), " is not a regular expression: ", reason.data()));
  }
  bool FoundIn(absl::string_view line) const {
    return regexec(regex_.get(), std::string(line).c_str(), 0, nullptr, 0) == 0;
  }

 private:
  struct Free {
    void operator()(regex_t* regex) const {
      regfree(regex);
      delete regex;
    }
  };
  explicit Separator(regex_t* regex) : regex_(regex) {}
  std::unique_ptr<regex_t, Free> regex_;
};

// Cuts the first line off `rest`.
absl::string_view TakeLine(absl::string_view* rest) {
  const size_t end = rest->find('\n');
  const absl::string_view line = rest->substr(0, end);
  rest->remove_prefix(end == absl::string_view::npos ? rest->size() : end + 1);
  return line;
}

absl::Status ReadJsonLines(const std::string& path, absl::string_view text,
                           const std::string& field, const Take& take) {
  for (int64_t number = 1; !text.empty(); ++number) {
    const absl::string_view line = absl::StripAsciiWhitespace(TakeLine(&text));
    if (line.empty()) continue;
    const auto bad = [&](absl::string_view rule) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", number, ": ", rule));
    };
    const absl::StatusOr<nlohmann::json> value = ParseStrictJson(line, kMaxJsonDepth);
    if (!value.ok()) return bad(value.status().message());
    if (!value->is_object()) return bad("a line must be a JSON object");
    const auto found = value->find(field);
    if (found == value->end() || !found->is_string()) {
      return bad(absl::StrCat("the field ", Quoted(field), " must be a string"));
    }
    DDL_RETURN_IF_ERROR(take(absl::StripAsciiWhitespace(found->get_ref<const std::string&>())));
  }
  return absl::OkStatus();
}

absl::Status ReadSeparated(absl::string_view text, const Separator& separator, const Take& take) {
  absl::string_view document = text.substr(0, 0);
  while (!text.empty()) {
    const char* const start = text.data();
    const absl::string_view line = TakeLine(&text);
    if (separator.FoundIn(absl::StripSuffix(line, "\r"))) {
      DDL_RETURN_IF_ERROR(take(absl::StripAsciiWhitespace(document)));
      document = text.substr(0, 0);
    } else {
      const auto line_bytes = static_cast<size_t>(text.data() - start);
      document = absl::string_view(document.data(), document.size() + line_bytes);
    }
  }
  return take(absl::StripAsciiWhitespace(document));
}

absl::Status CheckIsText(const std::string& path, absl::string_view text) {
  const size_t zero = text.find('\0');
  if (zero == absl::string_view::npos) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(path, " is not text: byte ", zero, " is zero"));
}

}  // namespace

absl::Status CheckLayout(const DocumentLayout& layout) {
  if (layout.field.empty()) return absl::InvalidArgumentError("the field must not be empty");
  if (layout.separator.empty()) return absl::OkStatus();
  if (layout.lines) {
    return absl::InvalidArgumentError("lines and a separator exclude each other");
  }
  return Separator::Compile(layout.separator).status();
}

absl::StatusOr<std::vector<std::string>> ExpandInputs(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored)) {
      files.push_back(path);
      continue;
    }
    DDL_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(path));
    const size_t before = files.size();
    for (const std::string& name : names) {
      if (EndsWithOneOf(name, kTextEndings) || EndsWithOneOf(name, kJsonEndings)) {
        files.push_back(absl::StrCat(path, "/", name));
      }
    }
    if (files.size() == before) {
      return absl::InvalidArgumentError(absl::StrCat("folder ", path, " has no file named *",
                                                     absl::StrJoin(kTextEndings, ", *"), ", *",
                                                     absl::StrJoin(kJsonEndings, ", *")));
    }
  }
  return files;
}

absl::Status ReadDocuments(const std::string& path, const DocumentLayout& layout,
                           const Take& take) {
  DDL_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  const absl::string_view text = absl::StripPrefix(bytes, "\xEF\xBB\xBF");
  if (EndsWithOneOf(path, kJsonEndings)) return ReadJsonLines(path, text, layout.field, take);
  DDL_RETURN_IF_ERROR(CheckIsText(path, text));
  if (!layout.separator.empty()) {
    DDL_ASSIGN_OR_RETURN(const Separator separator, Separator::Compile(layout.separator));
    return ReadSeparated(text, separator, take);
  }
  if (!layout.lines) return take(absl::StripAsciiWhitespace(text));
  absl::string_view rest = text;
  while (!rest.empty()) DDL_RETURN_IF_ERROR(take(absl::StripAsciiWhitespace(TakeLine(&rest))));
  return absl::OkStatus();
}

}  // namespace ddl::cli
