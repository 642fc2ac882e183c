#include "cli/pager.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "absl/strings/str_split.h"

extern char** environ;

namespace ddl::cli {
namespace {

// Writes as much as the reader takes.
void WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t put = write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return;  // The user has seen enough.
    text.remove_prefix(static_cast<size_t>(put));
  }
}

}  // namespace

std::vector<std::string> PagerCommand(const Io& io) {
  if (io.Env("TERM") == "dumb") return {};
  std::string words = "less -FIRX";
  for (const char* variable : {"PAGER", "DDL_PAGER"}) {
    const auto found = io.environment.find(variable);
    if (found != io.environment.end()) words = found->second;
  }
  std::vector<std::string> command = absl::StrSplit(words, ' ', absl::SkipEmpty());
  if (!command.empty() && command[0] == "cat") command.clear();
  return command;
}

bool NeedsPager(absl::string_view text, const Io& io) {
  return io.out_is_tty && std::count(text.begin(), text.end(), '\n') >= io.rows;
}

bool Page(const std::vector<std::string>& command, absl::string_view text) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, ends[0], STDIN_FILENO);
  // Ctrl-C is the pager's own affair; ddl blocks it and waits.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t pipes;
  sigemptyset(&pipes);
  sigaddset(&pipes, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &pipes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const bool started =
      posix_spawnp(&pid, arguments[0], &files, &attributes, arguments.data(), environ) == 0;
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  close(ends[0]);
  if (started) WriteAll(ends[1], text);
  close(ends[1]);
  if (!started) return false;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return true;
}

}  // namespace ddl::cli
