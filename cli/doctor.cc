// `ddl doctor`: is everything there that a run needs, seen from this machine?
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "common/files.h"
#include "common/status.h"
#include "common/version.h"

namespace ddl::cli {
namespace {

constexpr absl::Duration kClockTolerance = absl::Seconds(5);
constexpr uint64_t kLowDiskBytes = uint64_t{2} << 30;

struct Finding {
  std::string check;
  bool ok = false;
  std::string detail;
};

Finding CheckDisk() {
  struct statvfs disk = {};
  if (statvfs(".", &disk) != 0) {
    return {"disk", false, std::string(ErrnoStatus("cannot read", ".").message())};
  }
  const uint64_t free = static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
  return {"disk", free >= kLowDiskBytes,
          absl::StrCat(BytesText(static_cast<double>(free)), " free in the current folder",
                       free >= kLowDiskBytes ? "" : "; checkpoints need room")};
}

Finding CheckRank(const Io& io) {
  const std::string path = absl::StrCat(io.program_folder, "/ddl-rank");
  const bool there = access(path.c_str(), X_OK) == 0;
  return {"ddl-rank", there,
          there ? path : absl::StrCat("no ", path, ": `ddl local` cannot train")};
}

// Heartbeats carry the coordinator's clock. One from the future, or none fresh while workers are
// ready, means that the clocks differ.
Finding CheckClock(const v1::ListWorkersResponse& workers, absl::Time now) {
  absl::Time newest = absl::InfinitePast();
  for (const v1::Worker& worker : workers.workers()) {
    if (worker.state() == "ready" && worker.has_last_heartbeat()) {
      newest = std::max(newest, TimeOf(worker.last_heartbeat()));
    }
  }
  if (newest == absl::InfinitePast()) {
    return {"clock", true, "not compared: no worker is ready"};
  }
  const absl::Duration age = now - newest;
  const bool ok = age > -kClockTolerance && age < absl::Seconds(10) + kClockTolerance;
  return {"clock", ok,
          absl::StrCat("newest heartbeat is ", absl::ToInt64Milliseconds(age), " ms old",
                       ok ? "" : "; this machine's clock differs from the coordinator's")};
}

Finding CheckWorkers(const v1::ListWorkersResponse& workers) {
  int ready = 0;
  uint32_t slots = 0;
  uint32_t free = 0;
  std::string others;
  for (const v1::Worker& worker : workers.workers()) {
    if (worker.state() == "ready") {
      ++ready;
      slots += static_cast<uint32_t>(worker.slots_size());
      free += worker.slots_free();
    } else {
      absl::StrAppend(&others, "; ", worker.name(), " is ", worker.state());
    }
    if (worker.version() != Version()) {
      absl::StrAppend(&others, "; ", worker.name(), " has version ", worker.version());
    }
  }
  return {"workers", ready > 0 && others.empty(),
          absl::StrCat(ready, " ready, ", slots, " slots, ", free, " free", others)};
}

std::vector<Finding> CheckCluster(const Arguments& arguments, Io& io) {
  const auto client = Client::Connect(arguments, io);
  if (!client.ok()) {
    return {{"coordinator", false, std::string(client.status().message())}};
  }
  const v1::GetServerResponse& server = (*client)->server();
  std::vector<Finding> findings = {
      {"coordinator", true,
       absl::StrCat((*client)->address(), ", cluster ", server.cluster_id(), ", term ",
                    server.term(), ", http ", server.http_address())},
      {"versions", server.version() == Version(),
       absl::StrCat("ddl ", std::string(Version()), ", coordinator ", server.version())}};
  const auto workers = (*client)->ListWorkers();
  if (!workers.ok()) {
    findings.push_back({"workers", false, std::string(workers.status().message())});
    return findings;
  }
  findings.push_back(CheckWorkers(*workers));
  findings.push_back(CheckClock(*workers, absl::Now()));
  return findings;
}

absl::StatusOr<ExitCode> RunDoctor(const Arguments& arguments, Io& io) {
  std::vector<Finding> findings = {{"ddl", true, VersionLine()}, CheckRank(io), CheckDisk()};
  for (Finding& finding : CheckCluster(arguments, io)) findings.push_back(std::move(finding));
  if (io.interrupt->raised()) return absl::CancelledError("interrupted");
  Json tree;
  tree["checks"] = Json::array();
  std::vector<std::vector<Cell>> rows;
  bool ok = true;
  for (const Finding& finding : findings) {
    ok = ok && finding.ok;
    tree["checks"].push_back(
        {{"check", finding.check}, {"ok", finding.ok}, {"detail", finding.detail}});
    rows.push_back(
        {{finding.ok ? "ok" : "FAULT", finding.ok ? 32 : 31}, {finding.check}, {finding.detail}});
  }
  tree["ok"] = ok;
  DDL_RETURN_IF_ERROR(PrintTree(tree, "ok", TableText(rows, {false, false, false}, arguments.color),
                                arguments, io));
  return ok ? ExitCode::kOk : ExitCode::kFindings;
}

}  // namespace

Verb DoctorVerb() {
  return {.name = "doctor",
          .doc = "Check coordinator, workers, versions, clocks and disk; exit code 8 for a fault",
          .run = RunDoctor};
}

}  // namespace ddl::cli
