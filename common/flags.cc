#include "common/flags.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/names.h"
#include "common/status.h"
#include "common/version.h"

namespace ddl {

Flags::Flags(std::string program, std::string usage, std::string summary)
    : program_(std::move(program)), usage_(std::move(usage)), summary_(std::move(summary)) {
  Bool("help", "Print this text.", &help_);
  Bool("version", "Print the version.", &version_);
}

void Flags::Add(Flag flag) { flags_.push_back(std::move(flag)); }

void Flags::String(absl::string_view name, absl::string_view value_name, absl::string_view doc,
                   std::string* target) {
  Add({std::string(name), std::string(value_name), std::string(doc), [target](const auto& value) {
         *target = value;
         return absl::OkStatus();
       }});
}

void Flags::Int(absl::string_view name, absl::string_view value_name, absl::string_view doc,
                int64_t min, int64_t max, int64_t* target) {
  const std::string flag(name);
  Add({flag, std::string(value_name), std::string(doc), [=](const std::string& value) {
         int64_t number = 0;
         if (!absl::SimpleAtoi(value, &number) || number < min || number > max) {
           return absl::InvalidArgumentError(absl::StrCat(
               "--", flag, " must be a number from ", min, " to ", max, ", got ", Quoted(value)));
         }
         *target = number;
         return absl::OkStatus();
       }});
}

void Flags::Bool(absl::string_view name, absl::string_view doc, bool* target) {
  Add({std::string(name), "", std::string(doc), [target](const std::string&) {
         *target = true;
         return absl::OkStatus();
       }});
}

Flags::Flag* Flags::Find(absl::string_view name) {
  for (Flag& flag : flags_) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

bool Flags::Given(absl::string_view name) const {
  return std::any_of(flags_.begin(), flags_.end(),
                     [&](const Flag& flag) { return flag.name == name && flag.given; });
}

absl::Status Flags::Unknown(absl::string_view name) const {
  std::vector<std::string> names;
  for (const Flag& flag : flags_) names.push_back(flag.name);
  const std::string nearest = DidYouMean(name, names);
  return absl::InvalidArgumentError(
      absl::StrCat("unknown flag ", Quoted(absl::StrCat("--", name)),
                   nearest.empty() ? "" : absl::StrCat(" (did you mean --", nearest, "?)")));
}

absl::Status Flags::Parse(const std::vector<std::string>& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view text = arguments[i];
    if (!absl::ConsumePrefix(&text, "--")) {
      if (words_.size() == most_words_) {
        return absl::InvalidArgumentError(absl::StrCat("unexpected word ", Quoted(text)));
      }
      words_.emplace_back(text);
      continue;
    }
    const size_t equals = text.find('=');
    const absl::string_view name = text.substr(0, equals);
    Flag* const flag = Find(name);
    if (flag == nullptr) return Unknown(name);
    if (flag->given) return absl::InvalidArgumentError(absl::StrCat("--", name, " given twice"));
    flag->given = true;
    std::string value;
    if (equals != absl::string_view::npos) {
      if (flag->value_name.empty()) {
        return absl::InvalidArgumentError(absl::StrCat("--", name, " takes no value"));
      }
      value = std::string(text.substr(equals + 1));
    } else if (!flag->value_name.empty()) {
      if (i + 1 == arguments.size()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--", name, " needs a value: ", flag->value_name));
      }
      value = arguments[++i];
    }
    DDL_RETURN_IF_ERROR(flag->set(value));
  }
  return absl::OkStatus();
}

std::optional<int> Flags::ParseForMain(int argc, const char* const* argv, std::ostream& out,
                                       std::ostream& error) {
  const absl::Status parsed = Parse(std::vector<std::string>(argv + 1, argv + argc));
  if (help_) {
    out << Help();
    return 0;
  }
  if (version_) {
    out << program_ << " " << VersionLine() << "\n";
    return 0;
  }
  if (parsed.ok()) return std::nullopt;
  error << program_ << ": " << parsed.message() << "\nsee " << program_ << " --help\n";
  return kExitUsage;
}

std::string Flags::Help() const {
  std::string text = absl::StrCat("usage: ", program_, " ", usage_, "\n", summary_, "\n\n");
  for (const Flag& flag : flags_) {
    const std::string left =
        absl::StrCat("  --", flag.name, flag.value_name.empty() ? "" : " ", flag.value_name);
    absl::StrAppend(&text, left, std::string(left.size() < 30 ? 30 - left.size() : 1, ' '),
                    flag.doc, "\n");
  }
  return text;
}

}  // namespace ddl
