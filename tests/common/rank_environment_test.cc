#include "common/rank_environment.h"

#include <catch2/catch.hpp>
#include <map>

namespace ddl {
namespace {

using Strings = std::vector<std::string>;

Strings EnvironmentOf(const std::map<std::string, std::string>& outside, uint32_t threads) {
  return RankEnvironment(threads, [&](const std::string& name) -> std::optional<std::string> {
    const auto found = outside.find(name);
    if (found == outside.end()) return std::nullopt;
    return found->second;
  });
}

TEST_CASE("A rank inherits the listed variables, empty ones too, and nothing that loads code") {
  CHECK(EnvironmentOf({{"PATH", "/bin"},
                       {"LC_ALL", ""},
                       {"NVIDIA_VISIBLE_DEVICES", "0,1"},
                       {"LD_PRELOAD", "evil.so"},
                       {"USER", "root"},
                       {"OMP_NUM_THREADS", "64"}},
                      3) ==
        Strings{"PATH=/bin", "LC_ALL=", "NVIDIA_VISIBLE_DEVICES=0,1", "OMP_NUM_THREADS=3"});
  CHECK(EnvironmentOf({}, 1) == Strings{"OMP_NUM_THREADS=1"});
}

TEST_CASE("Strings for execve keep their order and end in a null pointer") {
  const Strings words = {"ddl-rank", "", "train"};
  const std::vector<char*> pointers = ExecPointers(words);
  REQUIRE(pointers.size() == 4);
  for (size_t i = 0; i < words.size(); ++i) CHECK(pointers[i] == words[i]);
  CHECK(pointers[3] == nullptr);
}

}  // namespace
}  // namespace ddl
