// The daemon as a process, with a real gRPC peer and real rank processes.
#include "worker/agent/daemon.h"

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <map>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "tests/worker/agent/daemon_process.h"
#include "tests/worker/agent/test_coordinator.h"

namespace ddl::agent {
namespace {

constexpr char kRun[] = "k3v9x2mq";

RankKey Rank(uint64_t epoch = 1, uint32_t rank = 0) { return {{kRun, epoch}, rank}; }

// Wants one attempt, as tests/worker/agent/scripted_rank.cc reads `plan`.
void WantRun(TestCoordinator* coordinator, const std::string& plan, uint64_t epoch = 1,
             v1::Desired wish = v1::DESIRED_RUN, double grace_seconds = 60) {
  coordinator->Want([&](v1::HeartbeatResponse* reply) {
    reply->clear_desired();
    v1::DesiredAttempt* desired = reply->add_desired();
    desired->set_run(kRun);
    desired->set_epoch(epoch);
    desired->set_attempt(static_cast<uint32_t>(epoch));
    desired->set_desired(wish);
    desired->set_grace_seconds(grace_seconds);
    desired->set_world_size(1);
    desired->add_ranks()->set_rank(0);
    desired->mutable_spec()->set_notes(plan);
    desired->mutable_spec()->mutable_data()->set_path("text");
    desired->mutable_spec()->mutable_parallel()->set_threads_per_rank(3);
  });
}

struct World {
  World() {
    coordinator.Start();
    process = std::make_unique<DaemonProcess>(root.path(), coordinator.address());
    process->Start();
  }
  ~World() {
    for (const v1::InventoryAttempt& attempt : coordinator.Inventory()) {
      for (const v1::InventoryRank& rank : attempt.ranks()) {
        if (rank.state() != v1::RANK_STATE_EXITED && rank.pid() > 0) kill(rank.pid(), SIGKILL);
      }
    }
  }
  int64_t LastStep(uint64_t epoch = 1) {
    int64_t step = 0;
    for (const v1::RankEvent& event : coordinator.Events(Rank(epoch))) {
      step = std::max(step, event.step().step());
    }
    return step;
  }
  // The heartbeat that tells it may follow the first steps.
  int32_t RankPid() {
    int32_t pid = 0;
    REQUIRE(Eventually([&] {
      const auto inventory = coordinator.Inventory();
      if (!inventory.empty() && !inventory[0].ranks().empty()) pid = inventory[0].ranks(0).pid();
      return pid > 0;
    }));
    return pid;
  }
  bool Exited() {
    const auto inventory = coordinator.Inventory();
    return !inventory.empty() && inventory[0].ranks(0).state() == v1::RANK_STATE_EXITED;
  }
  v1::RankExited Exit(uint64_t epoch = 1) {
    const auto events = coordinator.Events(Rank(epoch));
    return events.empty() ? v1::RankExited() : events.back().exited();
  }
  // Every step 1..steps once and in order.
  void CheckSteps(int64_t steps) {
    int64_t next = 1;
    for (const v1::RankEvent& event : coordinator.Events(Rank())) {
      if (event.has_step()) CHECK(event.step().step() == next++);
    }
    CHECK(next == steps + 1);
    CHECK(coordinator.Violations().empty());
  }

  TemporaryFolder root;
  TestCoordinator coordinator;
  std::unique_ptr<DaemonProcess> process;
};

std::map<std::string, std::string> Metrics(const std::string& page) {
  std::map<std::string, std::string> values;
  const std::vector<std::string> lines = absl::StrSplit(page, '\n');
  for (const std::string& line : lines) {
    const size_t space = line.rfind(' ');
    if (!line.empty() && line[0] != '#') values[line.substr(0, space)] = line.substr(space + 1);
  }
  return values;
}

}  // namespace

TEST_CASE("kill -9 of the daemon: the same process goes on, no event is lost or doubled") {
  World world;
  WantRun(&world.coordinator, "120 20 exit");
  REQUIRE(Eventually([&] { return world.LastStep() >= 25; }));
  const int32_t pid = world.RankPid();
  world.process->Kill(SIGKILL);
  const int64_t killed_at = world.LastStep();
  const std::string spool =
      absl::StrCat(world.process->State(), "/runs/", ToString(Rank()), "/spool");
  const size_t spooled = ReadFile(spool)->size();
  // The rank goes on without a daemon.
  REQUIRE(Eventually([&] { return ReadFile(spool)->size() > spooled + 500; }));
  CHECK(kill(pid, 0) == 0);
  world.process->Start();
  REQUIRE(Eventually([&] { return world.LastStep() > killed_at + 5; }));
  CHECK(world.RankPid() == pid);
  REQUIRE(Eventually([&] { return world.Exited() && world.Exit().class_() != 0; }));
  CHECK(world.Exit().class_() == v1::EXIT_CLASS_SUCCESS);
  world.CheckSteps(120);
  CHECK(world.coordinator.Commits().size() == 12);
  CHECK(absl::StrContains(
      *ReadFile(absl::StrCat(world.process->State(), "/runs/", ToString(Rank()), "/log")),
      "threads 3"));
}

TEST_CASE("The coordinator is away: training goes on and everything follows, once") {
  World world;
  WantRun(&world.coordinator, "150 20 exit");
  REQUIRE(Eventually([&] { return world.LastStep() >= 10; }));
  const int32_t pid = world.RankPid();
  world.coordinator.Stop();
  const std::string spool =
      absl::StrCat(world.process->State(), "/runs/", ToString(Rank()), "/spool");
  const size_t spooled = ReadFile(spool)->size();
  REQUIRE(Eventually([&] { return ReadFile(spool)->size() > spooled + 2000; }));
  world.coordinator.Start();
  REQUIRE(Eventually([&] { return world.Exited() && world.LastStep() == 150; }));
  CHECK(world.RankPid() == pid);
  CHECK(world.coordinator.Registrations() == 2);
  world.CheckSteps(150);
}

TEST_CASE("kill -9 of a rank is an infrastructure failure that names the signal, told once") {
  World world;
  WantRun(&world.coordinator, "20 5 crash");
  REQUIRE(Eventually([&] { return world.Exited() && world.Exit().exit_code() != 0; }));
  CHECK(world.Exit().class_() == v1::EXIT_CLASS_INFRASTRUCTURE);
  CHECK(world.Exit().exit_code() == 128 + SIGKILL);
  CHECK(absl::StrContains(world.Exit().message(), "signal 9"));
  CHECK(world.Exit().step() == 20);
  const size_t events = world.coordinator.Events(Rank()).size();
  world.process->Kill(SIGKILL);
  world.process->Start();
  REQUIRE(Eventually([&] { return world.coordinator.Registrations() == 2 && world.Exited(); }));
  CHECK(world.coordinator.Events(Rank()).size() == events);
  world.CheckSteps(20);
}

TEST_CASE("SIGTERM ends the daemon alone, a drain ends the rank with a checkpoint") {
  World world;
  WantRun(&world.coordinator, "15 5 linger");
  REQUIRE(Eventually([&] { return world.LastStep() == 15; }));
  const int32_t pid = world.RankPid();
  CHECK(world.process->Kill(SIGTERM) == 0);
  CHECK(kill(pid, 0) == 0);
  world.process->Start();
  WantRun(&world.coordinator, "", 1, v1::DESIRED_DRAIN);
  REQUIRE(Eventually([&] { return world.Exited() && world.Exit().exit_code() == 75; }));
  CHECK(world.Exit().class_() == v1::EXIT_CLASS_PREEMPTED);
  CHECK(world.coordinator.Commits().contains(15));
}

TEST_CASE("SIGUSR1 drains: the rank saves and ends, all of it is delivered, and the daemon ends") {
  World world;
  WantRun(&world.coordinator, "15 5 linger");
  REQUIRE(Eventually([&] { return world.LastStep() == 15; }));
  const int32_t pid = world.RankPid();
  CHECK(world.process->Kill(SIGUSR1) == 0);
  CHECK(kill(pid, 0) != 0);
  CHECK(world.Exit().class_() == v1::EXIT_CLASS_PREEMPTED);
  CHECK(world.coordinator.Commits().contains(15));
  world.CheckSteps(15);
}

TEST_CASE("A daemon that drains without its coordinator keeps what is not delivered, and stays") {
  World world;
  WantRun(&world.coordinator, "15 5 linger");
  REQUIRE(Eventually([&] { return world.LastStep() == 15; }));
  const int32_t pid = world.RankPid();
  world.coordinator.Stop();
  kill(world.process->pid(), SIGUSR1);
  REQUIRE(Eventually([&] { return kill(pid, 0) != 0; }));
  CHECK(kill(world.process->pid(), 0) == 0);
  world.coordinator.Start();
  CHECK(world.process->Wait() == 0);
  CHECK(world.Exit().class_() == v1::EXIT_CLASS_PREEMPTED);
}

// A loopback port that swallows what is sent to it: its queue of connections is full, so that the
// kernel answers no further one.
class BlackHole {
 public:
  BlackHole() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address_), size) == 0);
    REQUIRE(listen(listener_, 0) == 0);
    REQUIRE(getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size) == 0);
    for (int i = 0; i < 8; ++i) {
      fillers_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      const int connected =
          connect(fillers_.back(), reinterpret_cast<sockaddr*>(&address_), sizeof(address_));
      REQUIRE((connected == 0 || errno == EINPROGRESS));
    }
  }
  ~BlackHole() {
    for (const int fd : fillers_) close(fd);
    close(listener_);
  }
  std::string address() const { return absl::StrCat("127.0.0.1:", ntohs(address_.sin_port)); }

 private:
  int listener_ = -1;
  sockaddr_in address_ = {};
  std::vector<int> fillers_;
};

TEST_CASE("SIGTERM ends a daemon whose coordinator is dead or silent, within seconds") {
  BlackHole hole;
  for (const std::string& address : {std::string("127.0.0.1:1"), hole.address()}) {
    INFO(address);
    for (const absl::Duration age : {absl::Milliseconds(300), absl::Seconds(4)}) {
      TemporaryFolder root;
      DaemonProcess process(root.path(), address);
      process.Start();
      REQUIRE(Eventually([&] { return !process.Get("/healthz").empty(); }));
      const absl::Time ready = absl::Now();
      REQUIRE(Eventually([&] { return absl::Now() - ready > age; }));
      const absl::Time asked = absl::Now();
      CHECK(process.Kill(SIGTERM) == 0);
      CHECK(absl::Now() - asked < absl::Seconds(4));
    }
  }
}

TEST_CASE("SIGTERM ends a daemon whose log nobody reads, within seconds") {
  TemporaryFolder root;
  DaemonProcess process(root.path(), "127.0.0.1:1");
  REQUIRE(mkfifo(process.Log().c_str(), 0600) == 0);
  const int pipe = open(process.Log().c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  while (write(pipe, "full", 4) > 0) continue;
  process.Start();
  const absl::Time started = absl::Now();
  REQUIRE(Eventually([&] { return absl::Now() - started > absl::Seconds(2); }));
  CHECK(process.Kill(SIGTERM) == -SIGALRM);
  CHECK(absl::Now() - started < absl::Seconds(12));
  close(pipe);
}

TEST_CASE("A rank that ignores SIGTERM is killed after its grace, and then forgotten") {
  World world;
  WantRun(&world.coordinator, "5 5 deaf");
  REQUIRE(Eventually([&] { return world.LastStep() == 5; }));
  WantRun(&world.coordinator, "", 1, v1::DESIRED_DRAIN, 0.5);
  REQUIRE(Eventually([&] { return world.Exited() && world.Exit().exit_code() == 128 + SIGKILL; }));
  world.coordinator.Want([](v1::HeartbeatResponse* reply) { reply->clear_desired(); });
  REQUIRE(Eventually([&] { return world.coordinator.Inventory().empty(); }));
  CHECK(FileExists(absl::StrCat(world.process->State(), "/runs/k3v9x2mq/e1/forgotten")));
}

TEST_CASE("A fenced attempt is stopped and its events are dropped") {
  World world;
  WantRun(&world.coordinator, "100000 5 linger");
  // Events may come before the heartbeat that tells the pid.
  REQUIRE(Eventually([&] { return world.LastStep() >= 3 && world.RankPid() > 0; }));
  const int32_t old_pid = world.RankPid();
  world.coordinator.Fence(2);
  WantRun(&world.coordinator, "10 5 exit", 2);
  REQUIRE(Eventually([&] { return world.Exit(2).class_() == v1::EXIT_CLASS_SUCCESS; }));
  INFO("pid " << old_pid);
  CHECK(Eventually([&] { return kill(old_pid, 0) != 0; }));
  CHECK(Eventually([&] {
    return absl::StrContains(world.process->Get("/metrics"),
                             "ddl_points_dropped_total{reason=\"fenced\"} ");
  }));
}

TEST_CASE("Two daemons cannot share a state folder: the second names the first") {
  World world;
  REQUIRE(Eventually([&] { return world.coordinator.Registrations() == 1; }));
  DaemonProcess second(world.root.path(), world.coordinator.address());
  const pid_t first = world.process->pid();
  second.Start();
  CHECK(second.Wait() == 73);
  CHECK(absl::StrContains(*ReadFile(second.Log()), absl::StrCat("held by pid ", first, " on ")));
}

TEST_CASE("A port in use ends the start, and so does another cluster") {
  World world;
  REQUIRE(Eventually([&] { return world.coordinator.Registrations() == 1; }));
  const std::string address = *ReadFile(absl::StrCat(world.process->State(), "/address"));
  const TemporaryFolder other;
  DaemonProcess second(other.path(), world.coordinator.address());
  second.Start({"--http", address.substr(5, address.size() - 6)});
  CHECK(second.Wait() == 69);

  REQUIRE(
      Eventually([&] { return FileExists(absl::StrCat(world.process->State(), "/identity")); }));
  world.process->Kill(SIGTERM);
  world.coordinator.SetCluster("another-cluster");
  world.process->Start();
  CHECK(world.process->Wait() == 78);
}

TEST_CASE("The metrics of a run are those of its records, also after a restart of the daemon") {
  World world;
  WantRun(&world.coordinator, "40 5 exit");
  REQUIRE(Eventually([&] { return world.Exited() && world.LastStep() == 40; }));
  const auto matches = [&] {
    auto values = Metrics(world.process->Get("/metrics"));
    return values["ddl_train_steps_total{run=\"k3v9x2mq\"}"] == "40" &&
           values["ddl_train_tokens_total{run=\"k3v9x2mq\"}"] == "10240" &&
           values["ddl_train_phase_seconds_total{run=\"k3v9x2mq\",phase=\"forward\"}"] == "10" &&
           values["ddl_checkpoint_written_bytes_total{run=\"k3v9x2mq\"}"] == "4000" &&
           values["ddl_worker_undelivered_events"] == "0";
  };
  CHECK(Eventually(matches));
  world.process->Kill(SIGKILL);
  world.process->Start();
  CHECK(Eventually(matches));
  CHECK(world.process->Get("/healthz") == "ok\n");
}

TEST_CASE("Checkpoints are deleted as asked and confirmed") {
  World world;
  const std::string folder = absl::StrCat(world.root.path(), "/ckpt/k3v9x2mq/e1/step-10");
  REQUIRE(MakeFolders(folder).ok());
  world.coordinator.Want([](v1::HeartbeatResponse* reply) {
    v1::CheckpointDeletion* deletion = reply->add_deletions();
    deletion->set_run(kRun);
    deletion->set_folder("k3v9x2mq/e1/step-10");
    deletion->set_step(10);
    reply->add_deletions()->set_folder("../../etc");
  });
  REQUIRE(Eventually([&] { return world.coordinator.Deleted().size() == 1; }));
  CHECK_FALSE(FileExists(folder));
}

}  // namespace ddl::agent
