#include "worker/train/resume.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/logging.h"
#include "common/status.h"

namespace ddl {
namespace {

// Whether all ranks say yes.
absl::StatusOr<bool> AllAgree(bool yes, Collective* collective) {
  at::Tensor votes = at::full({1}, yes ? 1.0 : 0.0, at::kDouble);
  DDL_RETURN_IF_ERROR(collective->Sum(votes));
  return votes.item<double>() == static_cast<double>(collective->size());
}

}  // namespace

absl::StatusOr<std::optional<Resumed>> Resume(const Launch& launch, Parameters* parameters,
                                              Optimizer* optimizer, Collective* collective,
                                              EventSink* events) {
  for (const CheckpointReference& reference : launch.checkpoints) {
    absl::StatusOr<VerifiedCheckpoint> verified =
        VerifyCheckpoint(launch, reference, *parameters, *optimizer);
    DDL_ASSIGN_OR_RETURN(const bool agreed, AllAgree(verified.ok(), collective));
    if (agreed) {
      const Progress progress = Restore(*verified, parameters, optimizer);
      return Resumed{reference.folder, std::move(verified->manifest), progress};
    }
    const std::string message =
        verified.ok() ? "another rank cannot read it" : std::string(verified.status().message());
    DDL_LOG(Error) << "checkpoint " << reference.folder << " is refused: " << message;
    DDL_RETURN_IF_ERROR(events->Write(CheckpointRejected{
        .folder = reference.folder, .step = reference.step, .message = message}));
  }
  if (launch.checkpoints.empty()) return std::nullopt;
  return absl::DataLossError(absl::StrCat("none of ", launch.checkpoints.size(),
                                          " checkpoints is good; the run does not start anew"));
}

std::string ResumeDifference(const Manifest& then, const Manifest& now) {
  std::vector<std::string> differences;
  const auto compare = [&](absl::string_view what, const auto& before, const auto& after) {
    if (before != after) differences.push_back(absl::StrCat(what, " ", before, " -> ", after));
  };
  compare("ranks", then.world_size, now.world_size);
  compare("threads_per_rank", then.threads_per_rank, now.threads_per_rank);
  compare("device", then.device, now.device);
  compare("libraries", then.library_versions, now.library_versions);
  return absl::StrJoin(differences, "; ");
}

}  // namespace ddl
