#include "worker/agent/outbox.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"

namespace ddl::agent {
namespace {

google::protobuf::Timestamp ToProto(absl::Time time) {
  return google::protobuf::util::TimeUtil::NanosecondsToTimestamp(absl::ToUnixNanos(time));
}

}  // namespace

void Outbox::Add(const RankKey& rank) { cursors_.try_emplace(rank); }

void Outbox::Remove(const AttemptKey& attempt) {
  std::erase_if(cursors_, [&](const auto& entry) { return entry.first.attempt == attempt; });
}

void Outbox::Note(const v1::RankEvent& event, Cursor* cursor) {
  cursor->seen = event.seq();
  if (event.has_started()) cursor->started = true;
  if (event.has_exited()) cursor->saw_exit = true;
  if (event.has_step()) {
    cursor->last_step = std::max(cursor->last_step, event.step().step());
    if (cursor->fenced) dropped_points_ += static_cast<uint64_t>(event.step().samples_size());
  }
}

absl::StatusOr<bool> Outbox::Observe(const RankKey& rank, const ReadLimits& limits) {
  const auto found = cursors_.find(rank);
  if (found == cursors_.end()) return false;
  Cursor& cursor = found->second;
  if (cursor.ended) return false;
  // A process that is gone before the read can add nothing behind what is read.
  const auto events = spools_.Read(rank, cursor.seen, limits);
  if (!events.ok()) {
    if (absl::IsDataLoss(events.status())) {
      cursor.damaged = true;
      Settle(&cursor);
    }
    return events.status();
  }
  for (const v1::RankEvent& event : *events) Note(event, &cursor);
  if (events->empty()) Settle(&cursor);
  return !events->empty();
}

void Outbox::Settle(Cursor* cursor) {
  if (!cursor->exit || cursor->ended) return;
  cursor->ended = true;
  if (cursor->saw_exit) return;
  cursor->exit->set_seq(cursor->seen + 1);
  cursor->exit->mutable_exited()->set_step(cursor->last_step);
}

void Outbox::End(const RankKey& rank, const v1::RankExited& exit, absl::Time now) {
  const auto found = cursors_.find(rank);
  if (found == cursors_.end() || found->second.exit) return;
  v1::RankEvent event;
  *event.mutable_time() = ToProto(now);
  *event.mutable_exited() = exit;
  found->second.exit = std::move(event);
}

absl::StatusOr<std::vector<v1::RankEvent>> Outbox::Unsent(const RankKey& rank,
                                                          const Cursor& cursor) {
  const ReadLimits limits;
  std::vector<v1::RankEvent> events;
  if (cursor.acked < cursor.seen) {
    auto read = spools_.Read(rank, cursor.acked, limits);
    if (!read.ok()) return read.status();
    events = *std::move(read);
  }
  // The spool may have grown since it was observed; what it holds is sent all the same. Only the
  // exit waits until the spool is known to have ended.
  const uint64_t last = events.empty() ? cursor.acked : events.back().seq();
  if (cursor.ended && cursor.exit->seq() == last + 1 &&
      events.size() < static_cast<size_t>(limits.events)) {
    events.push_back(*cursor.exit);
  }
  return events;
}

v1::ReportEventsRequest Outbox::Report(const RankKey& rank) const {
  v1::ReportEventsRequest request;
  request.set_worker(worker_);
  request.set_session(session_);
  request.set_run(rank.attempt.run);
  request.set_epoch(rank.attempt.epoch);
  request.set_rank(rank.rank);
  return request;
}

v1::CommitCheckpointRequest Outbox::Commit(const RankKey& rank, const v1::RankEvent& event) const {
  v1::CommitCheckpointRequest request;
  // The same for every repeat within a session, as the rest of the request is.
  request.set_request_id(absl::StrCat(session_, "/", ToString(rank), "/", event.seq()));
  request.set_worker(worker_);
  request.set_session(session_);
  request.set_run(rank.attempt.run);
  request.set_epoch(rank.attempt.epoch);
  *request.mutable_checkpoint() = event.checkpoint_prepared();
  return request;
}

std::optional<OutboxCall> Outbox::CallFor(const RankKey& rank, Cursor* cursor) {
  if (cursor->unsure) {
    cursor->in_flight = cursor->asking = true;
    cursor->turn = ++turn_;
    return OutboxCall{rank, Report(rank)};
  }
  const auto events = Unsent(rank, *cursor);
  if (!events.ok() || events->empty()) return std::nullopt;
  cursor->in_flight = true;
  cursor->turn = ++turn_;
  if (events->front().has_checkpoint_prepared() && events->front().seq() > cursor->committed) {
    return OutboxCall{rank, Commit(rank, events->front())};
  }
  v1::ReportEventsRequest request = Report(rank);
  for (const v1::RankEvent& event : *events) {
    if (event.has_checkpoint_prepared() && event.seq() > cursor->committed) break;
    *request.add_events() = event;
  }
  return OutboxCall{rank, std::move(request)};
}

std::optional<OutboxCall> Outbox::DeletionCall() {
  for (auto& [run, deletions] : deletions_) {
    if (deletions.in_flight > 0 || deletions.confirmed.empty()) continue;
    const RankKey rank{{run, 0}, 0};
    v1::ReportEventsRequest request = Report(rank);
    for (const v1::CheckpointDeletion& deletion : deletions.confirmed) {
      *request.add_deleted() = deletion;
    }
    deletions.in_flight = deletions.confirmed.size();
    return OutboxCall{rank, std::move(request)};
  }
  return std::nullopt;
}

void Outbox::AskAgain() {
  for (auto& [rank, cursor] : cursors_) {
    // What was never acknowledged is sent anyway.
    cursor.unsure = cursor.acked > 0 && !cursor.fenced;
    cursor.asking = false;
  }
}

std::optional<OutboxCall> Outbox::Next() {
  if (auto call = DeletionCall()) return call;
  std::vector<std::pair<uint64_t, RankKey>> order;
  for (const auto& [rank, cursor] : cursors_) {
    const uint64_t last = cursor.ended ? std::max(cursor.seen, cursor.exit->seq()) : cursor.seen;
    if (!cursor.in_flight && !cursor.fenced && (cursor.unsure || cursor.acked < last)) {
      order.emplace_back(cursor.turn, rank);
    }
  }
  std::sort(order.begin(), order.end());
  for (const auto& [turn, rank] : order) {
    if (auto call = CallFor(rank, &cursors_[rank])) return call;
  }
  return std::nullopt;
}

void Outbox::Fence(const RankKey& rank, Cursor* cursor) {
  cursor->fenced = true;
  for (uint64_t after = cursor->acked; after < cursor->seen;) {
    const auto events = spools_.Read(rank, after, {});
    if (!events.ok() || events->empty()) break;
    for (const v1::RankEvent& event : *events) {
      if (event.seq() > cursor->seen) return;
      dropped_points_ += static_cast<uint64_t>(event.step().samples_size());
      after = event.seq();
    }
  }
}

void Outbox::OnReport(const RankKey& rank, const absl::Status& status,
                      const v1::ReportEventsResponse& response) {
  if (rank.attempt.epoch == 0) {
    Deletions& deletions = deletions_[rank.attempt.run];
    if (status.ok() || absl::IsAborted(status)) {
      deletions.confirmed.erase(
          deletions.confirmed.begin(),
          deletions.confirmed.begin() + static_cast<std::ptrdiff_t>(deletions.in_flight));
    }
    deletions.in_flight = 0;
    if (deletions.confirmed.empty()) deletions_.erase(rank.attempt.run);
    return;
  }
  const auto found = cursors_.find(rank);
  if (found == cursors_.end()) return;
  Cursor& cursor = found->second;
  cursor.in_flight = false;
  const bool asked = std::exchange(cursor.asking, false);
  if (status.ok()) {
    if (asked) cursor.unsure = false;
    cursor.acked = response.durable_seq();
    // A coordinator that lost events lost the commits among them too.
    cursor.committed = std::min(cursor.committed, cursor.acked);
  }
  if (absl::IsFailedPrecondition(status)) cursor.acked = cursor.committed = 0;
  if (absl::IsAborted(status)) Fence(rank, &cursor);
}

void Outbox::OnCommit(const RankKey& rank, const absl::Status& status) {
  const auto found = cursors_.find(rank);
  if (found == cursors_.end()) return;
  Cursor& cursor = found->second;
  cursor.in_flight = false;
  // The call was for the event behind the last durable one.
  if (status.ok() || absl::IsInvalidArgument(status)) cursor.committed = cursor.acked + 1;
  if (absl::IsAborted(status)) Fence(rank, &cursor);
}

Outbox::Position Outbox::position(const RankKey& rank) const {
  const auto found = cursors_.find(rank);
  if (found == cursors_.end()) return {};
  const Cursor& cursor = found->second;
  Position position;
  position.spool_seq = cursor.ended ? std::max(cursor.seen, cursor.exit->seq()) : cursor.seen;
  position.delivered_seq = cursor.acked;
  position.last_step = cursor.last_step;
  position.started = cursor.started;
  position.ended = cursor.ended;
  position.fenced = cursor.fenced;
  position.damaged = cursor.damaged;
  return position;
}

void Outbox::ConfirmDeletion(const v1::CheckpointDeletion& deletion) {
  std::vector<v1::CheckpointDeletion>& confirmed = deletions_[deletion.run()].confirmed;
  const bool known = std::any_of(confirmed.begin(), confirmed.end(), [&](const auto& other) {
    return other.folder() == deletion.folder();
  });
  if (!known) confirmed.push_back(deletion);
}

bool Outbox::idle() const {
  if (!deletions_.empty()) return false;
  return std::all_of(cursors_.begin(), cursors_.end(), [this](const auto& entry) {
    const Position at = position(entry.first);
    return at.fenced || (!entry.second.unsure && at.delivered_seq >= at.spool_seq);
  });
}

}  // namespace ddl::agent
