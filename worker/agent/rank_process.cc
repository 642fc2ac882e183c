#include "worker/agent/rank_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/rank_environment.h"

namespace ddl::agent {
namespace {

constexpr int kNotReleased = 126;
constexpr int kCannotExecute = 127;

// All that the child needs, made before the fork: behind it, only async-signal-safe calls are
// allowed, because other threads' locks may be held.
struct Child {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const char* folder;
  int log_fd;
  int null_fd;
  int go_fd;
};

[[noreturn]] void RunChild(const Child& child) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) signal(number, SIG_DFL);
  char go = 0;
  ssize_t got = -1;
  do {
    got = read(child.go_fd, &go, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) _exit(kNotReleased);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (dup2(child.null_fd, 0) < 0 || dup2(child.log_fd, 1) < 0 || dup2(child.log_fd, 2) < 0 ||
      chdir(child.folder) != 0) {
    _exit(kCannotExecute);
  }
  close_range(3, ~0U, 0);
  execve(child.program, child.arguments, child.environment);
  constexpr absl::string_view kMessage = "ddl-worker: cannot execute the rank program\n";
  if (write(2, kMessage.data(), kMessage.size()) < 0) _exit(kCannotExecute);
  _exit(kCannotExecute);
}

}  // namespace

std::vector<std::string> OwnEnvironment(uint32_t threads) {
  return RankEnvironment(threads, [](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  });
}

absl::StatusOr<int32_t> SpawnRank(const RankCommand& command,
                                  const std::function<absl::Status(int32_t pid)>& record) {
  std::vector<std::string> words = {command.program};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  const std::vector<char*> arguments = ExecPointers(words);
  const std::vector<char*> environment = ExecPointers(command.environment);
  if (access(command.program.c_str(), X_OK) != 0) {
    return ErrnoStatus("cannot execute", command.program);
  }
  const int log_fd =
      open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (log_fd < 0) return ErrnoStatus("cannot open", command.log);
  const auto close_log = absl::MakeCleanup([log_fd] { close(log_fd); });
  const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null_fd < 0) return ErrnoStatus("cannot open", "/dev/null");
  const auto close_null = absl::MakeCleanup([null_fd] { close(null_fd); });
  std::array<int, 2> go{};
  if (pipe2(go.data(), O_CLOEXEC) != 0) return ErrnoStatus("cannot make", "a pipe");
  const auto close_go = absl::MakeCleanup([&go] {
    close(go[0]);
    if (go[1] >= 0) close(go[1]);
  });

  const pid_t pid = fork();
  if (pid < 0) return ErrnoStatus("cannot start", command.program);
  if (pid == 0) {
    setsid();
    close(go[1]);  // Else the end of the daemon would not end the wait.
    RunChild({words[0].c_str(), arguments.data(), environment.data(), command.folder.c_str(),
              log_fd, null_fd, go[0]});
  }
  absl::Status recorded = record(pid);
  if (recorded.ok() && write(go[1], "g", 1) != 1) recorded = ErrnoStatus("cannot release", "rank");
  if (recorded.ok()) return pid;
  close(go[1]);
  go[1] = -1;
  waitpid(pid, nullptr, 0);  // It ends by itself: nobody can release it any more.
  return recorded;
}

}  // namespace ddl::agent
