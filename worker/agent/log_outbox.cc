#include "worker/agent/log_outbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/logging.h"

namespace ddl::agent {
namespace {

constexpr uint64_t kPieceBytes = 256 * 1024;  // Of one call; the coordinator takes 1 MiB.

// What a log holds from `offset` on, at most kPieceBytes, and whether that reaches its end. A log
// that is not there is empty.
struct Piece {
  std::string bytes;
  bool last = true;
};

Piece ReadPiece(const std::string& path, uint64_t offset) {
  Piece piece;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return piece;
  const auto closer = absl::MakeCleanup([fd] { close(fd); });
  struct stat status {};
  if (fstat(fd, &status) != 0) return piece;
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size <= offset) return piece;
  piece.bytes.resize(std::min(kPieceBytes, size - offset));
  const ssize_t got = pread(fd, piece.bytes.data(), piece.bytes.size(), static_cast<off_t>(offset));
  piece.bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
  piece.last = offset + piece.bytes.size() >= size;
  return piece;
}

bool IsLasting(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsInvalidArgument(status) ||
         absl::IsUnimplemented(status);
}

}  // namespace

LogOutbox::LogOutbox(std::string worker, std::string session, const RunFolders* folders)
    : worker_(std::move(worker)), session_(std::move(session)), folders_(*folders) {}

void LogOutbox::TakeUp() {
  for (const RankKey& rank : folders_.UnsentLogs()) cursors_[rank].ended = true;
}

void LogOutbox::Follow(const HeldAttempts& held) {
  std::set<RankKey> now;
  for (const auto& [key, attempt] : held) {
    for (const auto& [number, rank] : attempt.ranks) {
      const RankKey at{key, number};
      now.insert(at);
      if (!held_.contains(at)) cursors_.try_emplace(at);
      const auto found = cursors_.find(at);
      if (found != cursors_.end()) found->second.ended = rank.state == v1::RANK_STATE_EXITED;
    }
  }
  for (const RankKey& rank : held_) {
    const auto found = cursors_.find(rank);
    if (!now.contains(rank) && found != cursors_.end()) found->second.ended = true;
  }
  held_ = std::move(now);
}

std::optional<v1::ReportLogRequest> LogOutbox::CallFor(const RankKey& rank,
                                                       const Cursor& cursor) const {
  Piece piece{"", false};
  if (cursor.asked) piece = ReadPiece(folders_.FolderOf(rank) + "/log", cursor.offset);
  const bool end = cursor.ended && piece.last;
  if (cursor.asked && piece.bytes.empty() && !end) return std::nullopt;
  v1::ReportLogRequest request;
  request.set_worker(worker_);
  request.set_session(session_);
  request.set_run(rank.attempt.run);
  request.set_epoch(rank.attempt.epoch);
  request.set_rank(rank.rank);
  request.set_offset(cursor.offset);
  request.set_data(std::move(piece.bytes));
  request.set_end(end);
  return request;
}

std::optional<v1::ReportLogRequest> LogOutbox::Next() {
  if (in_flight_) return std::nullopt;
  std::vector<std::pair<uint64_t, RankKey>> order;
  for (const auto& [rank, cursor] : cursors_) order.emplace_back(cursor.turn, rank);
  std::sort(order.begin(), order.end());
  for (const auto& [turn, rank] : order) {
    Cursor& cursor = cursors_[rank];
    auto request = CallFor(rank, cursor);
    if (!request) continue;
    cursor.turn = ++turn_;
    in_flight_ = rank;
    return request;
  }
  return std::nullopt;
}

void LogOutbox::OnReport(const absl::Status& status, const v1::ReportLogResponse& response) {
  const RankKey rank = *std::exchange(in_flight_, std::nullopt);
  Cursor& cursor = cursors_[rank];
  if (status.ok()) {
    cursor.asked = true;
    cursor.offset = response.next_offset();
    if (response.complete()) Settle(rank);
  } else if (IsLasting(status)) {
    DDL_LOG(Warning, {"run", rank.attempt.run}, {"attempt", rank.attempt.epoch})
        << "the log of rank " << rank.rank << " stays here: " << status;
    Settle(rank);
  }
}

void LogOutbox::Settle(const RankKey& rank) {
  cursors_.erase(rank);
  if (const absl::Status marked = folders_.MarkLogSent(rank); !marked.ok()) {
    DDL_LOG(Warning, {"run", rank.attempt.run}, {"attempt", rank.attempt.epoch})
        << "a log is sent, and cannot be marked as sent: " << marked;
  }
}

bool LogOutbox::idle() const {
  return std::none_of(cursors_.begin(), cursors_.end(),
                      [](const auto& entry) { return entry.second.ended; });
}

}  // namespace ddl::agent
