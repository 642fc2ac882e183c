#include "worker/agent/file_spools.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/spool.h"
#include "common/status.h"

namespace ddl::agent {
namespace {

constexpr uint64_t kIndexEvery = 256;

// The event in `payload`, which must follow event `previous`.
absl::StatusOr<v1::RankEvent> Decode(const std::string& payload, uint64_t previous,
                                     const RankKey& rank, int64_t offset) {
  v1::RankEvent event;
  if (!event.ParseFromString(payload)) {
    return absl::DataLossError(absl::StrCat("spool of ", ToString(rank),
                                            ": the record before offset ", offset, " is no event"));
  }
  if (event.seq() != previous + 1) {
    return absl::DataLossError(absl::StrCat("spool of ", ToString(rank), ": event ", event.seq(),
                                            " follows event ", previous, " before offset ",
                                            offset));
  }
  return event;
}

}  // namespace

void FileSpools::Keep(const HeldAttempts& held) {
  std::set<std::string> runs;
  for (const auto& [key, attempt] : held) runs.insert(key.run);
  std::erase_if(indexes_,
                [&](const auto& entry) { return !runs.contains(entry.first.attempt.run); });
}

void FileSpools::Remember(uint64_t seq, int64_t offset, Index* index) {
  // The last entry is the newest position; it stays only where the grid has a line.
  if (!index->empty() && index->rbegin()->first < seq &&
      index->rbegin()->first % kIndexEvery != 0) {
    index->erase(std::prev(index->end()));
  }
  if (index->empty() || index->rbegin()->first < seq) (*index)[seq] = offset;
}

absl::StatusOr<std::vector<v1::RankEvent>> FileSpools::Read(const RankKey& rank, uint64_t after_seq,
                                                            const ReadLimits& limits) {
  Index& index = indexes_[rank];
  std::pair<uint64_t, int64_t> at = {0, 0};
  if (const auto next = index.upper_bound(after_seq); next != index.begin()) at = *std::prev(next);

  std::vector<v1::RankEvent> events;
  absl::StatusOr<SpoolReader> reader =
      SpoolReader::Open(absl::StrCat(folders_.FolderOf(rank), "/spool"), at.second);
  if (absl::IsNotFound(reader.status())) return events;
  if (!reader.ok()) return reader.status();
  int64_t bytes = 0;
  while (static_cast<int>(events.size()) < limits.events) {
    const absl::StatusOr<std::optional<std::string>> payload = reader->Next();
    if (payload.ok() && !payload->has_value()) break;
    absl::StatusOr<v1::RankEvent> event =
        payload.ok() ? Decode(**payload, at.first, rank, reader->offset())
                     : absl::StatusOr<v1::RankEvent>(
                           Annotate(payload.status(), absl::StrCat("spool of ", ToString(rank))));
    if (!event.ok()) {
      if (!events.empty()) break;  // Those before the damage come first.
      return event.status();
    }
    at.first = event->seq();
    if (at.first > after_seq) {
      bytes += static_cast<int64_t>((*payload)->size());
      if (!events.empty() && bytes > limits.bytes) break;
      events.push_back(*std::move(event));
    }
    Remember(at.first, reader->offset(), &index);
  }
  return events;
}

}  // namespace ddl::agent
