// What the coordinator streams: series, logs and changes of runs.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/client.h"
#include "cli/connection.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

constexpr absl::Duration kStreamLimit = absl::Seconds(10);  // Of one piece of a watch.
constexpr absl::Duration kLogStreamLimit = absl::Minutes(1);
constexpr absl::Duration kReconnectLimit = absl::Seconds(60);

void MoveOn(const v1::LogChunk& chunk, v1::ReadLogsRequest* request) {
  const uint64_t offset = chunk.offset() + chunk.data().size();
  for (v1::LogPosition& position : *request->mutable_after()) {
    if (position.epoch() != chunk.epoch() || position.rank() != chunk.rank()) continue;
    position.set_offset(offset);
    return;
  }
  v1::LogPosition& position = *request->add_after();
  position.set_epoch(chunk.epoch());
  position.set_rank(chunk.rank());
  position.set_offset(offset);
}

}  // namespace

absl::StatusOr<std::vector<v1::SeriesChunk>> Client::GetSeries(const v1::GetSeriesRequest& wished) {
  v1::GetSeriesRequest request = wished;
  DDL_ASSIGN_OR_RETURN(*request.mutable_run(), Named(wished.run()));
  std::vector<v1::SeriesChunk> series;
  const absl::Status status = connection_->Retry([&](grpc::ClientContext* context) {
    series.clear();
    std::map<std::string, size_t> places;
    const auto reader = connection_->metrics->GetSeries(context, request);
    v1::SeriesChunk chunk;
    while (reader->Read(&chunk)) {
      const auto [place, is_new] = places.emplace(chunk.name(), series.size());
      if (is_new) {
        series.push_back(std::move(chunk));
      } else {
        series[place->second].mutable_points()->MergeFrom(chunk.points());
      }
      chunk.Clear();
    }
    return reader->Finish();
  });
  if (!status.ok()) return status;
  return series;
}

absl::Status Client::ReadLogs(v1::ReadLogsRequest* request,
                              const std::function<absl::Status(const v1::LogChunk&)>& take,
                              const std::function<absl::Status()>& pause) {
  absl::Time give_up = absl::Now() + connection_->retry_limit;
  for (int attempt = 0;; ++attempt) {
    absl::Status taken;
    const absl::Time limit = std::min(absl::Now() + kLogStreamLimit, connection_->deadline);
    const absl::Status status = connection_->CallOnce(
        [&](grpc::ClientContext* context) {
          const auto reader = connection_->experiments->ReadLogs(context, *request);
          v1::LogChunk chunk;
          while (taken.ok() && reader->Read(&chunk)) {
            MoveOn(chunk, request);
            taken = take(chunk);
            attempt = 0;
            give_up = absl::Now() + std::min(kReconnectLimit, connection_->deadline - absl::Now());
          }
          if (!taken.ok()) context->TryCancel();
          return reader->Finish();
        },
        limit);
    if (connection_->io.interrupt->raised()) return absl::CancelledError("interrupted");
    if (!taken.ok() || status.ok()) return taken;
    if (absl::IsCancelled(status)) {  // Without our doing, and so without a reason of its own.
      return absl::ResourceExhaustedError(
          "the coordinator has cut this reader off: it took too long for one piece of a log; read "
          "faster, or without --follow");
    }
    if (absl::Now() >= connection_->deadline) {
      return absl::DeadlineExceededError("the run had not ended when --timeout was over");
    }
    if (absl::IsDeadlineExceeded(status)) {  // One piece of the stream is over.
      DDL_RETURN_IF_ERROR(pause());
      continue;
    }
    if (!absl::IsUnavailable(status)) return status;
    const absl::Duration wait = RetryPause(attempt);
    if (absl::Now() + wait >= give_up) {
      return absl::UnavailableError(
          absl::StrCat("no coordinator answers at ", connection_->address, ": ", status.message()));
    }
    if (connection_->io.interrupt->WaitFor(wait)) return absl::CancelledError("interrupted");
  }
}

absl::Status Client::Watch(const v1::RunSelector& selector, const Watcher& watcher) {
  v1::WatchExperimentsRequest request;
  DDL_ASSIGN_OR_RETURN(*request.mutable_selector(), Named(selector));
  absl::Time give_up = absl::Now() + connection_->retry_limit;
  for (int attempt = 0;; ++attempt) {
    bool go_on = true;
    const absl::Time limit = std::min(absl::Now() + kStreamLimit, connection_->deadline);
    const absl::Status status = connection_->CallOnce(
        [&](grpc::ClientContext* context) {
          const auto reader = connection_->experiments->WatchExperiments(context, request);
          v1::RunUpdate update;
          while (go_on && reader->Read(&update)) {
            request.set_after_version(update.version());
            go_on = watcher.on_update(update);
            attempt = 0;
            give_up = absl::Now() + std::min(kReconnectLimit, connection_->deadline - absl::Now());
          }
          if (!go_on) context->TryCancel();
          return reader->Finish();
        },
        limit);
    if (connection_->io.interrupt->raised()) return absl::CancelledError("interrupted");
    if (!go_on || status.ok()) return absl::OkStatus();
    if (absl::Now() >= connection_->deadline) {
      return absl::DeadlineExceededError("the runs had not come so far when --timeout was over");
    }
    if (absl::IsDeadlineExceeded(status)) {  // One piece of the watch is over.
      watcher.on_pause();
      continue;
    }
    if (!absl::IsUnavailable(status)) return status;
    if (attempt == 1) watcher.on_lost(status);
    const absl::Duration pause = RetryPause(attempt);
    if (absl::Now() + pause >= give_up) {
      return absl::UnavailableError(
          absl::StrCat("no coordinator answers at ", connection_->address, ": ", status.message()));
    }
    if (connection_->io.interrupt->WaitFor(pause)) return absl::CancelledError("interrupted");
  }
}

}  // namespace ddl::cli
