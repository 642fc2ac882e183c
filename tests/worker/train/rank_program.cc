#include "tests/worker/train/rank_program.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <csignal>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/series.h"
#include "common/spec_rules.h"
#include "common/spool.h"
#include "tests/places.h"
#include "tests/worker/text_fixture.h"

namespace ddl {
namespace {

constexpr auto kPatience = std::chrono::seconds(120);
constexpr int kPollMilliseconds = 2;

v1::ExperimentSpec Spec(const std::string& manifest_sha256) {
  v1::ExperimentSpec spec;
  spec.set_seed(4);
  v1::ModelSpec& model = *spec.mutable_model();
  model.set_d_model(16);
  model.set_n_layers(2);
  model.set_n_heads(2);
  model.set_max_seq_len(16);
  model.set_vocab_size(257);
  model.mutable_residual()->set_kind("ddl");
  model.mutable_residual()->set_value_channels(2);
  spec.mutable_data()->set_path("text");
  spec.mutable_data()->set_manifest_sha256(manifest_sha256);
  spec.mutable_train()->set_tokens(80 * 128);
  spec.mutable_train()->set_global_batch_tokens(128);
  spec.mutable_train()->set_micro_batch_sequences(4);
  spec.mutable_optim()->mutable_adamw()->set_lr(3e-3);
  spec.mutable_eval()->set_every_tokens(20 * 128);
  spec.mutable_eval()->set_tokens(1000);
  spec.mutable_checkpoint()->set_every_tokens(10 * 128);
  return spec;
}

}  // namespace

RankRun::RankRun() : manifest_sha256_(WriteText(folder_ / "text")) {}

v1::RankLaunch RankRun::Launch(uint64_t epoch, uint32_t rank) const {
  v1::RankLaunch launch;
  launch.set_run("abcd2345");
  launch.set_epoch(epoch);
  launch.set_attempt(static_cast<uint32_t>(epoch));
  launch.set_rank(rank);
  launch.set_world_size(1);
  *launch.mutable_spec() = Spec(manifest_sha256_);
  launch.set_rank_folder(folder_ / absl::StrCat("e", epoch, "-r", rank));
  launch.set_checkpoint_root(CheckpointRoot());
  launch.set_attempt_checkpoint_folder(absl::StrCat(CheckpointRoot(), "/abcd2345/e", epoch));
  launch.set_data_folder(DataFolder());
  launch.set_device("cpu");
  return launch;
}

RankProcess::RankProcess(const v1::RankLaunch& launch) : folder_(launch.rank_folder()) {
  REQUIRE(MakeFolders(folder_).ok());
  const std::string program = BuildPath("bin/ddl-rank");
  const std::string path = folder_ + "/launch.pb";
  REQUIRE(WriteFileAtomically(path, launch.SerializeAsString()).ok());
  const std::string log = folder_ + "/log";
  pid_ = fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDERR_FILENO);
    execl(program.c_str(), program.c_str(), "train", "--launch", path.c_str(), nullptr);
    _exit(127);
  }
}

RankProcess::~RankProcess() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void RankProcess::Signal(int signal) const { REQUIRE(kill(pid_, signal) == 0); }

int RankProcess::Wait() {
  int status = 0;
  REQUIRE(waitpid(pid_, &status, 0) == pid_);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void RankProcess::WaitUntil(
    const std::function<bool(const std::vector<v1::RankEvent>&)>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition(Events())) {
    siginfo_t ended{};
    waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT);
    INFO(Log());
    REQUIRE(ended.si_pid == 0);
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    poll(nullptr, 0, kPollMilliseconds);
  }
}

std::vector<v1::RankEvent> RankProcess::Events() const {
  std::vector<v1::RankEvent> events;
  auto reader = SpoolReader::Open(folder_ + "/spool");
  if (!reader.ok()) return events;
  while (true) {
    const auto record = reader->Next();
    REQUIRE(record.ok());
    if (!*record) return events;
    v1::RankEvent event;
    REQUIRE(event.ParseFromString(**record));
    REQUIRE(event.seq() == events.size() + 1);
    events.push_back(event);
  }
}

std::string RankProcess::Log() const { return Slurp(folder_ + "/log"); }

int64_t LastStep(const std::vector<v1::RankEvent>& events) {
  int64_t step = 0;
  for (const v1::RankEvent& event : events) step = std::max(step, event.step().step());
  return step;
}

std::vector<v1::CheckpointPrepared> Prepared(const std::vector<v1::RankEvent>& events) {
  std::vector<v1::CheckpointPrepared> prepared;
  for (const v1::RankEvent& event : events) {
    if (event.has_checkpoint_prepared()) prepared.push_back(event.checkpoint_prepared());
  }
  return prepared;
}

const v1::RankExited& Exit(const std::vector<v1::RankEvent>& events) {
  REQUIRE_FALSE(events.empty());
  REQUIRE(events.back().has_exited());
  return events.back().exited();
}

std::vector<std::string> ExactPoints(const std::vector<v1::RankEvent>& events, int64_t above_step) {
  std::vector<std::string> points;
  for (const v1::RankEvent& event : events) {
    if (event.step().step() <= above_step) continue;
    for (const v1::Sample& sample : event.step().samples()) {
      if (absl::StrContains(sample.name(), "seconds")) continue;  // Time is never the same.
      const std::string key = series::Key(
          sample.name(), {sample.layer(), sample.sublayer(), sample.bucket(), sample.phase()});
      points.push_back(absl::StrCat(key, " ", event.step().step(), " ",
                                    std::bit_cast<uint64_t>(sample.value())));
    }
  }
  return points;
}

void AddCheckpoints(const std::vector<v1::CheckpointPrepared>& prepared, uint64_t epoch,
                    v1::RankLaunch* launch) {
  for (auto checkpoint = prepared.rbegin(); checkpoint != prepared.rend(); ++checkpoint) {
    v1::CommittedCheckpoint& added = *launch->add_checkpoints();
    added.set_folder(checkpoint->folder());
    added.set_step(checkpoint->step());
    added.set_manifest_sha256(checkpoint->manifest_sha256());
    added.set_epoch(epoch);
  }
}

std::string ParametersSha256(const std::string& log) {
  const size_t at = log.rfind("parameters sha256 ");
  REQUIRE(at != std::string::npos);
  return log.substr(at + 18, 64);
}

uint32_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(fd);
  return ntohs(address.sin_port);
}

}  // namespace ddl
