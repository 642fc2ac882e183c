// What a rank may see of the environment of the program that starts it. A worker's daemon and
// `ddl local` both start ranks through this list, so that both give the same bits.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ddl {

// NAME=value of the listed variables for which `lookup` has a value, then those that are set for
// every rank: OMP_NUM_THREADS is `threads`.
std::vector<std::string> RankEnvironment(
    uint32_t threads, const std::function<std::optional<std::string>(const std::string&)>& lookup);

// `strings` as execve(2) takes arguments and variables: a null pointer ends them. They point into
// `strings`, which outlives them; execve writes nothing through them.
std::vector<char*> ExecPointers(const std::vector<std::string>& strings);

}  // namespace ddl
