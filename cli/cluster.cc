// `ddl workers` and `ddl queue`: where runs run, and why some wait.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

using google::protobuf::Message;

const v1::Worker& WorkerOf(const Message& row) { return static_cast<const v1::Worker&>(row); }
const v1::QueueEntry& EntryOf(const Message& row) {
  return static_cast<const v1::QueueEntry&>(row);
}

std::vector<Column> WorkerColumns(absl::TimeZone zone) {
  return {
      {.header = "NAME", .path = "name"},
      {.header = "STATE",
       .path = "state",
       .color = [](const Message& row) { return ColorOfState(WorkerOf(row).state()); }},
      {.header = "POOL", .path = "pool"},
      {.header = "SLOTS",
       .path = "slots",
       .text = [](const Message& row) { return absl::StrCat(WorkerOf(row).slots_size()); },
       .right = true},
      {.header = "FREE", .path = "slots_free", .right = true},
      {.header = "DEVICE",
       .path = "device",
       .text = [](const Message& row) -> std::string {
         if (WorkerOf(row).slots().empty()) return "-";
         const v1::Slot& slot = WorkerOf(row).slots(0);
         return slot.model().empty() ? slot.device() : slot.model();
       }},
      {.header = "RUNS",
       .path = "runs",
       .text =
           [](const Message& row) {
             return WorkerOf(row).runs().empty() ? "-" : absl::StrJoin(WorkerOf(row).runs(), " ");
           }},
      {.header = "HEARTBEAT",
       .path = "last_heartbeat",
       .text =
           [zone](const Message& row) { return LocalTime(WorkerOf(row).last_heartbeat(), zone); }},
      {.header = "CPU",
       .path = "usage.cpu_ratio",
       .text =
           [](const Message& row) {
             return absl::StrCat(std::lround(WorkerOf(row).usage().cpu_ratio() * 100), "%");
           },
       .right = true,
       .wide_only = true},
      {.header = "MEMORY",
       .path = "usage.memory_used_bytes",
       .text =
           [](const Message& row) {
             return BytesText(static_cast<double>(WorkerOf(row).usage().memory_used_bytes()));
           },
       .right = true,
       .wide_only = true},
      {.header = "VERSION", .path = "version", .wide_only = true},
      {.header = "HTTP", .path = "http_address", .wide_only = true},
  };
}

absl::StatusOr<ExitCode> RunWorkers(const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
  DDL_ASSIGN_OR_RETURN(const v1::ListWorkersResponse response, client->ListWorkers());
  Listing listing;
  listing.type = v1::Worker::descriptor();
  listing.columns = WorkerColumns(io.zone);
  listing.name_path = "name";
  listing.none = "no workers";
  for (const v1::Worker& worker : response.workers()) listing.rows.push_back(&worker);
  DDL_RETURN_IF_ERROR(PrintList(listing, arguments, io));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunQueue(const Arguments& arguments, Io& io) {
  DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
  DDL_ASSIGN_OR_RETURN(const v1::GetQueueResponse response, client->GetQueue(arguments.Get("why")));
  Listing listing;
  listing.type = v1::QueueEntry::descriptor();
  listing.columns = {
      {.header = "POSITION", .path = "position", .right = true},
      {.header = "ID", .path = "run.id"},
      {.header = "NAME", .path = "run.name"},
      {.header = "PRIORITY", .path = "run.priority", .right = true},
      {.header = "RANKS", .path = "run.ranks", .right = true},
      {.header = "SUBMITTED",
       .path = "run.submitted",
       .text = [zone = io.zone](
                   const Message& row) { return LocalTime(EntryOf(row).run().submitted(), zone); }},
      {.header = "WHY", .path = "why"},
  };
  listing.name_path = "run.id";
  listing.none = arguments.Has("why") ? "it does not wait" : "no run waits";
  for (const v1::QueueEntry& entry : response.entries()) listing.rows.push_back(&entry);
  DDL_RETURN_IF_ERROR(PrintList(listing, arguments, io));
  return ExitCode::kOk;
}

}  // namespace

Verb WorkersVerb() {
  return {.name = "workers",
          .doc = "List workers, their slots and what runs on them",
          .flags = {{"columns", 0, "FIELDS", "Columns to show, separated by commas"}},
          .run = RunWorkers};
}

Verb QueueVerb() {
  return {.name = "queue",
          .doc = "List waiting runs in the order they will start, and why they wait",
          .flags = {{"why", 0, "RUN", "This run alone"},
                    {"columns", 0, "FIELDS", "Columns to show, separated by commas"}},
          .run = RunQueue};
}

}  // namespace ddl::cli
