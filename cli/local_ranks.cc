#include "cli/local_ranks.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/rank_environment.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

constexpr double kLeaseSeconds = 30;
constexpr absl::Duration kRenewPeriod = absl::Seconds(5);

std::vector<std::string> EnvironmentOf(const Io& io, uint32_t threads) {
  return RankEnvironment(threads, [&io](const std::string& name) -> std::optional<std::string> {
    const auto found = io.environment.find(name);
    if (found == io.environment.end()) return std::nullopt;
    return found->second;
  });
}

}  // namespace

std::vector<v1::RankLaunch> LaunchesOf(const LocalRun& run, uint32_t rendezvous_port) {
  std::vector<v1::RankLaunch> launches;
  const uint32_t ranks = run.spec.parallel().ranks();
  for (uint32_t rank = 0; rank < ranks; ++rank) {
    v1::RankLaunch& launch = launches.emplace_back();
    launch.set_run(run.id);
    launch.set_epoch(1);
    launch.set_attempt(1);
    launch.set_rank(rank);
    launch.set_world_size(ranks);
    *launch.mutable_spec() = run.spec;
    launch.set_rank_folder(absl::StrCat(run.folder, "/r", rank));
    launch.set_checkpoint_root(absl::StrCat(run.folder, "/checkpoints"));
    launch.set_attempt_checkpoint_folder(
        absl::StrCat(launch.checkpoint_root(), "/", run.id, "/e1"));
    launch.set_data_folder(run.data_folder);
    if (ranks > 1) {
      launch.set_rendezvous_host("127.0.0.1");
      launch.set_rendezvous_port(rendezvous_port);
    }
    launch.set_bind_address("127.0.0.1");
    launch.set_device(run.device == "cuda" ? absl::StrCat("cuda:", rank) : run.device);
    launch.set_lease_file(absl::StrCat(run.folder, "/lease"));
    launch.set_orphan_ttl_seconds(kLeaseSeconds);
  }
  return launches;
}

absl::StatusOr<uint32_t> FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return ErrnoStatus("cannot make", "a socket");
  const auto close_fd = absl::MakeCleanup([fd] { close(fd); });
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return ErrnoStatus("cannot bind", "a port of 127.0.0.1");
  }
  return ntohs(address.sin_port);
}

absl::StatusOr<LocalRanks> LocalRanks::Start(const LocalRun& run, const std::string& program,
                                             const Io& io) {
  if (access(program.c_str(), X_OK) != 0) return ErrnoStatus("cannot run", program);
  DDL_ASSIGN_OR_RETURN(const uint32_t port, FreePort());
  LocalRanks ranks(absl::StrCat(run.folder, "/lease"));
  DDL_RETURN_IF_ERROR(MakeFolders(run.folder));
  ranks.RenewLease();
  for (const v1::RankLaunch& launch : LaunchesOf(run, port)) {
    DDL_RETURN_IF_ERROR(MakeFolders(launch.rank_folder()));
    DDL_RETURN_IF_ERROR(MakeFolders(launch.attempt_checkpoint_folder()));
    DDL_RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(launch.rank_folder(), "/launch.pb"),
                                            launch.SerializeAsString()));
    DDL_RETURN_IF_ERROR(ranks.Spawn(launch, program, io));
  }
  return ranks;
}

LocalRanks::LocalRanks(LocalRanks&& other) noexcept
    : lease_(std::move(other.lease_)),
      renewed_(other.renewed_),
      ranks_(std::exchange(other.ranks_, {})),
      exit_code_(other.exit_code_) {}

LocalRanks::~LocalRanks() {
  for (const Rank& rank : ranks_) {
    if (!rank.ended) {
      kill(rank.pid, SIGKILL);
      waitpid(rank.pid, nullptr, 0);
    }
    close(rank.pidfd);
  }
}

// In its own process group, so that Ctrl-C reaches it as the SIGTERM that this program sends.
absl::Status LocalRanks::Spawn(const v1::RankLaunch& launch, const std::string& program,
                               const Io& io) {
  const std::vector<std::string> words = {program, "train", "--launch",
                                          absl::StrCat(launch.rank_folder(), "/launch.pb")};
  const std::vector<std::string> environment =
      EnvironmentOf(io, launch.spec().parallel().threads_per_rank());
  const std::vector<char*> arguments = ExecPointers(words);
  const std::vector<char*> variables = ExecPointers(environment);
  const std::string log = absl::StrCat(launch.rank_folder(), "/log");

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  const auto destroy = absl::MakeCleanup([&] {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  });
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&files, launch.rank_folder().c_str());
  sigset_t none;
  sigemptyset(&none);
  sigset_t defaults;
  sigfillset(&defaults);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  Rank rank;
  errno = posix_spawn(&rank.pid, program.c_str(), &files, &attributes, arguments.data(),
                      variables.data());
  if (errno != 0) return ErrnoStatus("cannot run", program);
  // glibc 2.36 declares pidfd_open for C alone.
  rank.pidfd = static_cast<int>(syscall(SYS_pidfd_open, rank.pid, 0));
  ranks_.push_back(rank);
  if (rank.pidfd < 0) return ErrnoStatus("cannot watch", program);
  return absl::OkStatus();
}

void LocalRanks::RenewLease() {
  if (absl::Now() - renewed_ < kRenewPeriod) return;
  renewed_ = absl::Now();
  const int fd = open(lease_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;  // The ranks then end as they do when this program is gone.
  futimens(fd, nullptr);
  close(fd);
}

void LocalRanks::Wait(absl::Duration limit) {
  RenewLease();
  std::vector<pollfd> watched;
  for (const Rank& rank : ranks_) {
    if (!rank.ended) watched.push_back({rank.pidfd, POLLIN, 0});
  }
  poll(watched.data(), watched.size(), static_cast<int>(absl::ToInt64Milliseconds(limit)));
  bool failed = false;
  for (Rank& rank : ranks_) {
    int status = 0;
    if (rank.ended || waitpid(rank.pid, &status, WNOHANG) != rank.pid) continue;
    rank.ended = true;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (exit_code_ == 0) exit_code_ = code;
    failed = failed || code != 0;
  }
  if (failed) Stop();
}

void LocalRanks::Stop() {
  for (const Rank& rank : ranks_) {
    if (!rank.ended) kill(rank.pid, SIGTERM);
  }
}

bool LocalRanks::AllEnded() const {
  return std::all_of(ranks_.begin(), ranks_.end(), [](const Rank& rank) { return rank.ended; });
}

}  // namespace ddl::cli
