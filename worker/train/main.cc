// ddl-rank: trains one rank of one attempt, and holds the models to reference numbers.
//
//   ddl-rank train --launch FILE [--log-format text|json]
//                          Exit 0 done, 75 stopped as asked, 2 bad spec or data, 1 other.
//   ddl-rank golden FILE... [--json]   Holds this build to reference files: 0, 1 over tolerance, 2.
//   ddl-rank init --model FILE --residual R --seed S --out F    Initial weights: 0, 2.
//   ddl-rank generate --from PATH --prompt TEXT                  Text of a model: 0, 2.
//   ddl-rank version
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "common/logging.h"
#include "common/trace.h"
#include "worker/train/environment.h"
#include "worker/train/generate/generate_verb.h"
#include "worker/train/generate/init_verb.h"
#include "worker/train/golden/golden_verb.h"
#include "worker/train/launch_proto.h"
#include "worker/train/run_rank.h"
#include "worker/train/spool_sink.h"
#include "worker/train/stop_signal.h"

namespace ddl {
namespace {

constexpr int kExitUser = 2;
constexpr int kExitFailure = 1;
constexpr int64_t kGoldenThreads = 1;

int Train(const std::string& launch_path, LogFormat format) {
  InitLogging(format, "ddl-rank");
  const absl::StatusOr<Launch> launch = ReadLaunch(launch_path);
  if (!launch.ok()) {
    DDL_LOG(Error) << launch.status();
    return kExitUser;
  }
  InitLogging(format, "ddl-rank",
              {{"run", launch->run},
               {"attempt", launch->epoch},
               {"rank", launch->rank},
               {"trace_id", AttemptTrace(launch->run, launch->epoch)}});
  CatchStopSignals();
  absl::StatusOr<std::unique_ptr<SpoolSink>> spool =
      SpoolSink::Open(absl::StrCat(launch->rank_folder, "/spool"), &absl::Now);
  if (!spool.ok()) {
    DDL_LOG(Error) << spool.status();
    return kExitFailure;
  }
  PrepareTorch(launch->train.threads);
  const Lease lease(launch->lease_file, absl::Seconds(launch->orphan_ttl_seconds), absl::Now());
  const RankExited exited = RunRank(
      *launch, spool->get(), [&lease] { return StopSignalled() || lease.Expired(absl::Now()); });
  if (exited.exit_class == ExitClass::kPreempted) {
    DDL_LOG(Info) << exited.message;
  } else if (exited.exit_class != ExitClass::kSuccess) {
    DDL_LOG(Error, {"step", exited.step}) << exited.message;
  }
  if (const absl::Status status = (*spool)->Write(exited); !status.ok()) {
    DDL_LOG(Error) << "the exit cannot be recorded: " << status;
    return kExitFailure;
  }
  return exited.exit_code;
}

int Main(int argc, char** argv) {
  const absl::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "version" && argc == 2) {
    std::printf("ddl-rank %s (%s)\n", DDL_VERSION, LibraryVersions().c_str());
    return 0;
  }
  if (verb == "golden") {
    PrepareTorch(kGoldenThreads);
    return GoldenVerb({argv + 2, argv + argc}, std::cout, std::cerr);
  }
  if (verb == "init" || verb == "generate") {
    PrepareTorch(std::max(1U, std::thread::hardware_concurrency()));
    const std::vector<std::string> arguments(argv + 2, argv + argc);
    return verb == "init" ? InitVerb(arguments, std::cout, std::cerr)
                          : GenerateVerb(arguments, std::cout, std::cerr);
  }
  if (verb == "train" && argc >= 4 && absl::string_view(argv[2]) == "--launch") {
    const bool formatted = argc == 6 && absl::string_view(argv[4]) == "--log-format";
    const absl::StatusOr<LogFormat> format = ParseLogFormat(formatted ? argv[5] : "text");
    if (format.ok() && (formatted || argc == 4)) return Train(argv[3], *format);
  }
  std::fprintf(stderr,
               "usage: ddl-rank train --launch FILE [--log-format text|json]\n"
               "       ddl-rank golden FILE... [--json]\n"
               "       ddl-rank init --model FILE [--residual R] [--seed S] --out F\n"
               "       ddl-rank generate --from PATH --prompt TEXT [--show-gates]\n"
               "       ddl-rank version\n");
  return kExitUser;
}

}  // namespace
}  // namespace ddl

int main(int argc, char** argv) { return ddl::Main(argc, argv); }
