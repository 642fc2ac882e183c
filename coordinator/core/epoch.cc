#include "coordinator/core/epoch.h"

#include "absl/strings/str_cat.h"
#include "common/names.h"

namespace ddl::coordinator {

absl::Status CheckEpoch(const State& state, const std::string& run, uint64_t epoch) {
  const v1::RunRecord* record = FindRun(state, run);
  if (record == nullptr) return absl::NotFoundError(absl::StrCat("no run ", Quoted(run)));
  if (epoch < record->epoch()) {
    return absl::AbortedError(absl::StrCat("epoch ", epoch, " of run ", run,
                                           " is fenced: the current epoch is ", record->epoch()));
  }
  if (FindAttempt(*record, epoch) == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("run ", run, " has no attempt of epoch ",
                                                      epoch, ": the current epoch is ",
                                                      record->epoch()));
  }
  return absl::OkStatus();
}

}  // namespace ddl::coordinator
