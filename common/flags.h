// Flags of the programs that run by themselves: `--name value` or `--name=value`, and bare words.
//
// Declared against variables that hold the defaults; one table serves parsing, --help and the
// suggestion for a misspelt flag. `ddl` has its own grammar (cli/).
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace ddl {

// Exit codes that the daemons share (sysexits.h).
inline constexpr int kExitUsage = 64;         // Flags are wrong.
inline constexpr int kExitUnavailable = 69;   // A port is in use.
inline constexpr int kExitSoftware = 70;      // Anything else that ends a start.
inline constexpr int kExitCannotCreate = 73;  // The state folder is held by another process.
inline constexpr int kExitRefused = 78;  // A rule of configuration or safety forbids the start.

class Flags {
 public:
  // `usage` follows the program's name in the help: "train --launch FILE".
  Flags(std::string program, std::string usage, std::string summary);

  // Each target keeps its value unless the flag is given and must outlive Parse. `value_name`
  // stands for the value in the help: "FOLDER".
  void String(absl::string_view name, absl::string_view value_name, absl::string_view doc,
              std::string* target);
  // A decimal number in [min, max].
  void Int(absl::string_view name, absl::string_view value_name, absl::string_view doc, int64_t min,
           int64_t max, int64_t* target);
  // Given without a value.
  void Bool(absl::string_view name, absl::string_view doc, bool* target);
  // At most `most` words that are no flags; none unless this is called.
  void Words(size_t most) { most_words_ = most; }

  // `arguments` excludes the program's name. kInvalidArgument names the flag, the value and the
  // rule, and the nearest flag for an unknown one. A flag given twice is an error.
  absl::Status Parse(const std::vector<std::string>& arguments);
  const std::vector<std::string>& words() const { return words_; }
  bool Given(absl::string_view name) const;

  // Parses and does what a main does with the result: nullopt to go on; 0 after --help or --version
  // was answered on `out`; kExitUsage after the error was written to `error`.
  std::optional<int> ParseForMain(int argc, const char* const* argv, std::ostream& out,
                                  std::ostream& error);
  std::string Help() const;

 private:
  struct Flag {
    std::string name;
    std::string value_name;  // Empty for a Bool.
    std::string doc;
    std::function<absl::Status(const std::string&)> set;
    bool given = false;
  };
  void Add(Flag flag);
  Flag* Find(absl::string_view name);
  absl::Status Unknown(absl::string_view name) const;

  std::string program_;
  std::string usage_;
  std::string summary_;
  std::vector<Flag> flags_;
  std::vector<std::string> words_;
  size_t most_words_ = 0;
  bool help_ = false;
  bool version_ = false;
};

}  // namespace ddl
