// A rank without training for tests of the daemon: writes a real spool by the plan in its spec's
// notes, obeys SIGTERM as ddl-rank does. `train --launch FILE`.
//
// The plan is "<steps> <milliseconds a step> <end>"; end is "exit" (done, code 0), "crash" (SIGKILL
// to itself, no exit record), "linger" (never ends) or "deaf" (never ends, ignores SIGTERM).
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/check.h"
#include "common/files.h"
#include "common/spool.h"
#include "google/protobuf/util/time_util.h"
#include "proto/ddl/v1/events.pb.h"
#include "proto/ddl/v1/launch.pb.h"

namespace ddl {
namespace {

volatile sig_atomic_t drain_requested = 0;
void RequestDrain(int) { drain_requested = 1; }

class Spool {
 public:
  explicit Spool(const std::string& path) : writer_(*SpoolWriter::Open(path)) {}
  void Put(v1::RankEvent event, bool sync = false) {
    event.set_seq(++seq_);
    *event.mutable_time() = google::protobuf::util::TimeUtil::GetCurrentTime();
    DDL_CHECK(writer_.Append(event.SerializeAsString(), sync).ok());
  }

 private:
  SpoolWriter writer_;
  uint64_t seq_ = 0;
};

v1::RankEvent Step(int64_t step) {
  v1::RankEvent event;
  v1::StepRecord* record = event.mutable_step();
  record->set_step(step);
  record->set_tokens(step * 256);
  record->set_flops(static_cast<double>(step) * 1e6);
  v1::Sample* loss = record->add_samples();
  loss->set_name("train_loss");
  loss->set_value(5.0 / static_cast<double>(step));
  v1::Sample* forward = record->add_samples();
  forward->set_name("phase_seconds");
  forward->set_phase("forward");
  forward->set_value(0.25);
  return event;
}

v1::RankEvent Exit(int code, v1::ExitClass exit_class, int64_t step) {
  v1::RankEvent event;
  event.mutable_exited()->set_exit_code(code);
  event.mutable_exited()->set_class_(exit_class);
  event.mutable_exited()->set_step(step);
  return event;
}

void Prepare(const v1::RankLaunch& launch, int64_t step, Spool* spool) {
  v1::RankEvent event;
  event.mutable_checkpoint_prepared()->set_step(step);
  event.mutable_checkpoint_prepared()->set_folder(
      absl::StrCat(launch.run(), "/e", launch.epoch(), "/step-", step));
  event.mutable_checkpoint_prepared()->set_bytes(1000);
  spool->Put(event, true);
}

int Train(const v1::RankLaunch& launch) {
  const std::vector<std::string> plan = absl::StrSplit(launch.spec().notes(), ' ');
  DDL_CHECK(plan.size() == 3);
  int64_t steps = 0;
  int pause_milliseconds = 0;
  DDL_CHECK(absl::SimpleAtoi(plan[0], &steps) && absl::SimpleAtoi(plan[1], &pause_milliseconds));
  const std::string& end = plan[2];
  signal(SIGTERM, end == "deaf" ? SIG_IGN : RequestDrain);

  Spool spool(absl::StrCat(launch.rank_folder(), "/spool"));
  v1::RankEvent started;
  started.mutable_started()->set_pid(getpid());
  spool.Put(started, true);
  std::printf("threads %s\n", getenv("OMP_NUM_THREADS"));
  std::fflush(stdout);
  int64_t step = 0;
  while (true) {
    if (drain_requested) {
      Prepare(launch, step, &spool);
      spool.Put(Exit(75, v1::EXIT_CLASS_PREEMPTED, step), true);
      return 75;
    }
    if (step < steps) {
      spool.Put(Step(++step));
      if (step % 10 == 0) Prepare(launch, step, &spool);
    } else if (end == "exit") {
      spool.Put(Exit(0, v1::EXIT_CLASS_SUCCESS, step), true);
      return 0;
    } else if (end == "crash") {
      raise(SIGKILL);
    }
    poll(nullptr, 0, pause_milliseconds);
  }
}

}  // namespace
}  // namespace ddl

int main(int argc, char** argv) {
  if (argc != 6 || std::string(argv[4]) != "--log-format") return 64;
  const absl::StatusOr<std::string> bytes = ddl::ReadFile(argv[3]);
  ddl::v1::RankLaunch launch;
  DDL_CHECK(bytes.ok() && launch.ParseFromString(*bytes));
  return ddl::Train(launch);
}
