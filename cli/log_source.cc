#include "cli/log_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "cli/client.h"
#include "cli/run_folder.h"
#include "common/files.h"
#include "common/names.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

constexpr absl::Duration kLookPeriod = absl::Milliseconds(200);
constexpr int kTurnsPerLook = 5;  // Whether the run has ended: its whole spool is read for that.
constexpr absl::Duration kDeadLease = absl::Seconds(30);  // A run whose lease is older is over.
constexpr size_t kReadBytes = 64 * 1024;

// Entries of an attempt, its end among them.
void AddAttempt(const v1::Attempt& attempt, std::vector<LogEntry>* entries) {
  const std::string name =
      absl::StrCat("attempt ", attempt.attempt(), " (epoch ", attempt.epoch(), ") ");
  const auto add = [&](const google::protobuf::Timestamp& time, const char* severity,
                       const std::string& text) {
    entries->push_back({TimeOf(time), attempt.attempt(), std::nullopt, severity, text});
  };
  if (attempt.has_placed()) {
    add(attempt.placed(), "info",
        absl::StrCat(name, "placed on ", absl::StrJoin(attempt.workers(), ", ")));
  }
  if (attempt.has_started()) {
    const v1::RankStarted& rank = attempt.rank_zero();
    add(attempt.started(), "info",
        absl::StrCat(name, "started from step ", attempt.resumed_step(), ", engine ", rank.engine(),
                     rank.engine_reason().empty() ? "" : ": ", rank.engine_reason(),
                     rank.resume_difference().empty() ? "" : "; ", rank.resume_difference()));
  }
  if (attempt.has_ended()) {
    const bool bad = attempt.state() == "failed" || attempt.state() == "lost";
    add(attempt.ended(), bad ? "error" : "info",
        absl::StrCat(name, attempt.state(), " at step ", attempt.last_step(), ", exit ",
                     attempt.exit_code(), " ", attempt.exit_class(),
                     attempt.message().empty() ? "" : ": ", attempt.message()));
  }
}

class CoordinatorLogs : public LogSource {
 public:
  CoordinatorLogs(std::unique_ptr<Client> client, const v1::RunDetail& run,
                  const std::vector<uint32_t>& ranks)
      : client_(std::move(client)), world_size_(run.run().ranks()) {
    request_.set_run(run.run().id());
    for (const uint32_t rank : ranks) request_.add_ranks(rank);
  }

  absl::Status Read(bool follow, const Take& take,
                    const std::function<absl::Status()>& pause) override {
    request_.set_follow(follow);
    return client_->ReadLogs(&request_, take, pause);
  }

  absl::StatusOr<std::vector<LogEntry>> Events() override {
    DDL_ASSIGN_OR_RETURN(const v1::RunDetail run, client_->GetRun(request_.run()));
    std::vector<LogEntry> entries;
    for (const v1::Attempt& attempt : run.attempts()) AddAttempt(attempt, &entries);
    for (const v1::Checkpoint& checkpoint : run.checkpoints()) {
      if (!checkpoint.has_committed()) continue;
      entries.push_back({TimeOf(checkpoint.committed()), 0, std::nullopt, "info",
                         absl::StrCat("checkpoint of step ", checkpoint.step(),
                                      " committed: ", checkpoint.folder())});
    }
    for (const v1::RunNotice& notice : run.notices()) {
      entries.push_back({std::nullopt, 0, std::nullopt, notice.severity(), notice.message()});
    }
    std::erase_if(entries, [this](const LogEntry& entry) {
      return !given_.emplace(entry.time.value_or(absl::InfiniteFuture()), entry.message).second;
    });
    SortByTime(&entries);
    return entries;
  }

  uint32_t world_size() const override { return world_size_; }

 private:
  std::unique_ptr<Client> client_;
  const uint32_t world_size_;
  v1::ReadLogsRequest request_;
  std::set<std::pair<absl::Time, std::string>> given_;
};

class FolderLogs : public LogSource {
 public:
  FolderLogs(RunFolder folder, std::string word, std::vector<uint32_t> ranks, Io& io)
      : folder_(std::move(folder)), word_(std::move(word)), ranks_(std::move(ranks)), io_(io) {
    if (!ranks_.empty()) return;
    for (uint32_t rank = 0; rank < folder_.launch.world_size(); ++rank) ranks_.push_back(rank);
  }

  absl::Status Read(bool follow, const Take& take,
                    const std::function<absl::Status()>& pause) override {
    for (int turn = 0;; ++turn) {
      // Asked for first: what a rank writes before its end is read after that.
      const bool ended = turn % kTurnsPerLook == 0 && HasEnded();
      for (const uint32_t rank : ranks_) DDL_RETURN_IF_ERROR(Catch(rank, take));
      if (!follow || ended) return absl::OkStatus();
      DDL_RETURN_IF_ERROR(pause());
      if (io_.interrupt->WaitFor(kLookPeriod)) return absl::CancelledError("interrupted");
    }
  }

  absl::StatusOr<std::vector<LogEntry>> Events() override { return std::vector<LogEntry>(); }
  uint32_t world_size() const override { return folder_.launch.world_size(); }

 private:
  // Of another rank the log lies beside that of rank 0, if it ran on this machine.
  std::string PathOf(uint32_t rank) const {
    absl::string_view path = folder_.path;
    if (rank != 0 && absl::ConsumeSuffix(&path, "/r0")) {
      return absl::StrCat(path, "/r", rank, "/log");
    }
    return absl::StrCat(folder_.path, "/log");
  }

  bool HasEnded() const {
    const absl::StatusOr<RunFolder> now = ReadRunFolder(word_);
    if (now.ok() && now->exited) return true;
    struct stat status {};
    const std::string& lease = folder_.launch.lease_file();
    if (lease.empty()) return false;
    if (stat(lease.c_str(), &status) != 0) return true;
    return absl::Now() - absl::TimeFromTimespec(status.st_mtim) > kDeadLease;
  }

  absl::Status Catch(uint32_t rank, const Take& take) {
    const std::string path = PathOf(rank);
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return rank == 0 ? ErrnoStatus("cannot open", path) : absl::OkStatus();
    const auto closer = absl::MakeCleanup([fd] { close(fd); });
    uint64_t& offset = offsets_[rank];
    std::string bytes(kReadBytes, '\0');
    for (;;) {
      const ssize_t got = pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (got < 0) return ErrnoStatus("cannot read", path);
      if (got == 0) return absl::OkStatus();
      v1::LogChunk chunk;
      chunk.set_attempt(std::max(1U, folder_.launch.attempt()));
      chunk.set_epoch(folder_.launch.epoch());
      chunk.set_rank(rank);
      chunk.set_offset(offset);
      chunk.set_data(bytes.data(), static_cast<size_t>(got));
      offset += static_cast<uint64_t>(got);
      DDL_RETURN_IF_ERROR(take(chunk));
    }
  }

  RunFolder folder_;
  std::string word_;
  std::vector<uint32_t> ranks_;
  Io& io_;
  std::map<uint32_t, uint64_t> offsets_;  // By rank.
};

absl::Status CheckRanks(const std::vector<uint32_t>& ranks, uint32_t world_size) {
  for (const uint32_t rank : ranks) {
    if (rank < world_size) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--rank must be below ", world_size, ", got ", rank));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogSource>> LogSource::Open(const std::string& word,
                                                           const std::vector<uint32_t>& ranks,
                                                           const Arguments& arguments, Io& io) {
  if (IsRunFolder(word)) {
    DDL_ASSIGN_OR_RETURN(RunFolder folder, ReadRunFolder(word));
    DDL_RETURN_IF_ERROR(CheckRanks(ranks, folder.launch.world_size()));
    return std::make_unique<FolderLogs>(std::move(folder), word, ranks, io);
  }
  DDL_ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(arguments, io));
  DDL_ASSIGN_OR_RETURN(v1::RunDetail run, client->GetRun(word));
  DDL_RETURN_IF_ERROR(CheckRanks(ranks, run.run().ranks()));
  return std::make_unique<CoordinatorLogs>(std::move(client), std::move(run), ranks);
}

}  // namespace ddl::cli
