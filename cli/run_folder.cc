#include "cli/run_folder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/names.h"
#include "common/series.h"
#include "common/spool.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

// The folder that holds launch.pb; empty if there is none.
std::string FolderOfRankZero(const std::string& word) {
  for (const std::string& folder : {word, absl::StrCat(word, "/r0")}) {
    if (FileExists(absl::StrCat(folder, "/launch.pb"))) return folder;
  }
  return "";
}

}  // namespace

bool IsRunFolder(const std::string& word) { return !FolderOfRankZero(word).empty(); }

void AddEvent(const v1::RankEvent& event, uint32_t attempt, RunFolder* folder) {
  switch (event.event_case()) {
    case v1::RankEvent::kStarted: folder->started = event.started(); break;
    case v1::RankEvent::kExited: folder->exited = event.exited(); break;
    case v1::RankEvent::kNotice: folder->notices.push_back(event.notice()); break;
    case v1::RankEvent::kStep: {
      const v1::StepRecord& step = event.step();
      for (const v1::Sample& sample : step.samples()) {
        v1::Point point;
        point.set_attempt(attempt);
        point.set_step(step.step());
        point.set_tokens(step.tokens());
        point.set_flops(step.flops());
        point.set_active_seconds(step.active_seconds());
        point.set_value(sample.value());
        folder
            ->series[series::Key(sample.name(), {.layer = sample.layer(),
                                                 .sublayer = sample.sublayer(),
                                                 .bucket = sample.bucket(),
                                                 .phase = sample.phase()})]
            .push_back(std::move(point));
      }
      break;
    }
    default: break;
  }
}

absl::StatusOr<RunFolder> ReadRunFolder(const std::string& word) {
  RunFolder folder;
  folder.path = FolderOfRankZero(word);
  if (folder.path.empty()) {
    return absl::NotFoundError(absl::StrCat(Quoted(word), " is not a run folder: no launch.pb"));
  }
  DDL_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(absl::StrCat(folder.path, "/launch.pb")));
  if (!folder.launch.ParseFromString(bytes)) {
    return absl::DataLossError(absl::StrCat(folder.path, "/launch.pb is damaged"));
  }
  DDL_ASSIGN_OR_RETURN(SpoolReader reader, SpoolReader::Open(absl::StrCat(folder.path, "/spool")));
  while (true) {
    DDL_ASSIGN_OR_RETURN(const std::optional<std::string> record, reader.Next());
    if (!record) return folder;
    v1::RankEvent event;
    if (!event.ParseFromString(*record)) {
      return absl::DataLossError(absl::StrCat(folder.path, "/spool: a record before offset ",
                                              reader.offset(), " is no event"));
    }
    AddEvent(event, folder.launch.attempt(), &folder);
  }
}

}  // namespace ddl::cli
