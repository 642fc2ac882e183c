// The ranks' spool files as the outbox reads them.
//
// Single-threaded. No file stays open between calls; a sparse index of offsets makes reading on
// from a known event cheap.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

#include "worker/agent/host.h"
#include "worker/agent/run_folders.h"

namespace ddl::agent {

class FileSpools : public SpoolSource {
 public:
  explicit FileSpools(const RunFolders* folders) : folders_(*folders) {}

  absl::StatusOr<std::vector<v1::RankEvent>> Read(const RankKey& rank, uint64_t after_seq,
                                                  const ReadLimits& limits) override;
  // Gives up the indexes of all runs but these.
  void Keep(const HeldAttempts& held);

 private:
  // Offset behind the event `seq`, for every kIndexEvery-th event and the last one read.
  using Index = std::map<uint64_t, int64_t>;
  static void Remember(uint64_t seq, int64_t offset, Index* index);

  const RunFolders& folders_;
  std::map<RankKey, Index> indexes_;
};

}  // namespace ddl::agent
