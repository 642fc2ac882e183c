#include "common/rank_environment.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace ddl {
namespace {

// Neither loader nor interpreter variables that would make a rank run other code, but for the
// library path of the administrator's installation.
constexpr std::array<const char*, 9> kInherited = {"PATH",
                                                   "HOME",
                                                   "LANG",
                                                   "LC_ALL",
                                                   "TZ",
                                                   "TMPDIR",
                                                   "LD_LIBRARY_PATH",
                                                   "CUDA_VISIBLE_DEVICES",
                                                   "NVIDIA_VISIBLE_DEVICES"};

}  // namespace

std::vector<std::string> RankEnvironment(
    uint32_t threads, const std::function<std::optional<std::string>(const std::string&)>& lookup) {
  std::vector<std::string> environment;
  for (const char* name : kInherited) {
    if (const std::optional<std::string> value = lookup(name)) {
      environment.push_back(absl::StrCat(name, "=", *value));
    }
  }
  environment.push_back(absl::StrCat("OMP_NUM_THREADS=", threads));
  return environment;
}

std::vector<char*> ExecPointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace ddl
