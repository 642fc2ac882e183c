#include "tests/coordinator/coordinator_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/files.h"
#include "tests/common/scratch_folder.h"
#include "tests/places.h"

extern char** environ;

namespace ddl::coordinator {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(60);

void PauseBriefly() { poll(nullptr, 0, 10); }

}  // namespace

CoordinatorProcess::CoordinatorProcess(const std::vector<std::string>& arguments,
                                       const std::string& log) {
  std::vector<std::string> words = {BuildPath("bin/ddl-coordinator")};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  REQUIRE(posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
}

CoordinatorProcess::~CoordinatorProcess() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string CoordinatorProcess::Address(const std::string& address_file, const std::string& key) {
  const absl::Time limit = absl::Now() + kLimit;
  while (absl::Now() < limit) {
    const absl::StatusOr<std::string> text = ReadFile(address_file);
    if (text.ok()) {
      const std::vector<std::string> lines = absl::StrSplit(*text, '\n');
      for (const std::string& line : lines) {
        if (absl::StartsWith(line, key + "=")) return line.substr(key.size() + 1);
      }
    }
    PauseBriefly();
  }
  FAIL("ddl-coordinator wrote no " << address_file);
  return "";
}

void CoordinatorProcess::Signal(int number) const { REQUIRE(kill(pid_, number) == 0); }

int CoordinatorProcess::Wait() {
  const absl::Time limit = absl::Now() + kLimit;
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (absl::Now() >= limit) FAIL("ddl-coordinator does not end");
    PauseBriefly();
  }
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int RunCoordinator(const std::vector<std::string>& arguments, std::string* output) {
  const ScratchFolder folder;
  CoordinatorProcess process(arguments, folder / "log");
  const int code = process.Wait();
  *output = Slurp(folder / "log");
  return code;
}

}  // namespace ddl::coordinator
