#include "worker/agent/agent.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>

#include "absl/strings/str_cat.h"
#include "tests/worker/agent/model_host.h"

namespace ddl::agent {
namespace {

constexpr char kRun[] = "k3v9x2mq";
const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

AgentSettings Settings(const std::string& session = "s1") {
  AgentSettings settings;
  settings.worker = "w1";
  settings.session = session;
  settings.launch.state_folder = "/state";
  settings.launch.data_root = "/data";
  settings.launch.checkpoint_root = "/checkpoints";
  settings.launch.devices = {"cpu", "cpu"};
  return settings;
}

v1::RegisterResponse Registered(const std::string& cluster = "c", uint64_t term = 1) {
  v1::RegisterResponse response;
  response.set_cluster_id(cluster);
  response.set_term(term);
  return response;
}

v1::DesiredAttempt Run(uint64_t epoch, const std::vector<uint32_t>& ranks = {0}) {
  v1::DesiredAttempt desired;
  desired.set_run(kRun);
  desired.set_epoch(epoch);
  desired.set_desired(v1::DESIRED_RUN);
  desired.set_world_size(static_cast<uint32_t>(ranks.size()));
  desired.mutable_spec()->mutable_data()->set_path("text");
  for (const uint32_t rank : ranks) {
    desired.add_ranks()->set_rank(rank);
    desired.mutable_ranks()->rbegin()->set_slot(rank);
  }
  return desired;
}

struct World {
  World() { Restart("s1"); }
  void Restart(const std::string& session) {
    agent = std::make_unique<Agent>(Settings(session), &host, &host, &host);
    REQUIRE(agent->Adopt(kNow).ok());
    REQUIRE(agent->OnRegistered(Registered()).ok());
  }
  void Reply(const std::vector<v1::DesiredAttempt>& desired) {
    v1::HeartbeatResponse reply;
    reply.set_term(1);
    reply.set_generation(++generation);
    for (const v1::DesiredAttempt& attempt : desired) *reply.add_desired() = attempt;
    agent->OnHeartbeat(reply, kNow);
  }
  v1::InventoryAttempt Listed() {
    const v1::HeartbeatRequest heartbeat = agent->MakeHeartbeat({});
    return heartbeat.inventory_size() == 0 ? v1::InventoryAttempt() : heartbeat.inventory(0);
  }

  ModelHost host;
  std::unique_ptr<Agent> agent;
  uint64_t generation = 0;
};

v1::DesiredAttempt With(v1::DesiredAttempt desired, v1::Desired wish, double grace = 60) {
  desired.set_desired(wish);
  desired.set_grace_seconds(grace);
  return desired;
}

}  // namespace

TEST_CASE("A restarted daemon holds the same processes and starts none again") {
  World world;
  world.Reply({Run(1, {0, 1})});
  world.host.Append({{kRun, 1}, 0}).mutable_started();
  world.agent->Poll(kNow);
  const v1::InventoryAttempt before = world.Listed();
  CHECK(before.ranks(0).state() == v1::RANK_STATE_RUNNING);
  CHECK(before.ranks(1).state() == v1::RANK_STATE_LAUNCHING);
  CHECK(before.rendezvous_port() == 4242);

  world.Restart("s2");
  world.agent->Poll(kNow);
  CHECK(world.Listed().SerializeAsString() == before.SerializeAsString());
  world.Reply({Run(1, {0, 1})});
  CHECK(world.host.starts.size() == 2);
}

TEST_CASE("A rank that ends between two daemons is reported as gone, once") {
  World world;
  world.Reply({Run(1)});
  world.host.Die({{kRun, 1}, 0});
  world.host.ReusePid({{kRun, 1}, 0});
  world.Restart("s2");
  world.agent->Poll(kNow);
  CHECK(world.Listed().ranks(0).state() == v1::RANK_STATE_EXITED);
  std::optional<OutboxCall> call = world.agent->NextCall();
  REQUIRE(call);
  const auto& report = std::get<v1::ReportEventsRequest>(call->request);
  REQUIRE(report.events_size() == 1);
  CHECK(report.events(0).exited().class_() == v1::EXIT_CLASS_INFRASTRUCTURE);
  world.Reply({With(Run(1), v1::DESIRED_KILL)});
  CHECK(world.host.signals.empty());
}

TEST_CASE("A rank that ignores SIGTERM is killed when its grace is over") {
  World world;
  world.Reply({Run(1)});
  world.Reply({With(Run(1), v1::DESIRED_DRAIN, 5)});
  world.Reply({With(Run(1), v1::DESIRED_DRAIN, 5)});
  REQUIRE(world.host.signals.size() == 1);
  CHECK(world.host.signals[0].second == StopSignal::kTerminate);
  world.agent->Poll(kNow + absl::Seconds(4));
  CHECK(world.host.signals.size() == 1);
  world.agent->Poll(kNow + absl::Seconds(5));
  CHECK(world.host.signals.back().second == StopSignal::kKill);
}

TEST_CASE("What cannot be started is listed with the reason and no live rank") {
  World world;
  world.host.fail_start = "no such program";
  world.Reply({Run(1)});
  world.agent->Poll(kNow);
  const v1::InventoryAttempt listed = world.Listed();
  CHECK(listed.launch_error() == "no such program");
  CHECK(listed.ranks(0).state() == v1::RANK_STATE_EXITED);
  v1::DesiredAttempt outside = Run(2);
  outside.mutable_spec()->mutable_data()->set_path("/etc");
  world.host.fail_start = "";
  world.Reply({outside});
  CHECK(world.host.starts.empty());
}

TEST_CASE("A rank that waits for its rendezvous ends without having run") {
  World world;
  v1::DesiredAttempt desired = Run(1, {1});
  desired.set_world_size(2);
  world.Reply({desired});
  CHECK(world.Listed().ranks(0).state() == v1::RANK_STATE_LAUNCHING);
  world.Reply({With(desired, v1::DESIRED_DRAIN)});
  world.agent->Poll(kNow);
  CHECK(world.Listed().ranks(0).state() == v1::RANK_STATE_EXITED);
  CHECK(world.host.starts.empty());
}

TEST_CASE("A coordinator of another cluster or of an older term is refused") {
  World world;
  CHECK(absl::IsFailedPrecondition(world.agent->OnRegistered(Registered("other", 9))));
  REQUIRE(world.agent->OnRegistered(Registered("c", 5)).ok());
  CHECK(absl::IsAborted(world.agent->OnRegistered(Registered("c", 4))));
  CHECK(world.agent->MakeRegister("r").cluster_id() == "c");
}

namespace {

// A world in which anything may be lost, late, repeated or restarted.
class Storm {
 public:
  explicit Storm(uint64_t seed) : random_(seed) {}

  void Turn(int turn) {
    if (Chance(4))
      current_ = Run(++epoch_, Chance(50) ? std::vector<uint32_t>{0} : std::vector<uint32_t>{0, 1});
    if (Chance(3)) current_ = With(current_, Chance(50) ? v1::DESIRED_DRAIN : v1::DESIRED_KILL, 0);
    Answer();
    if (Chance(60)) {
      const size_t which = Chance(70) ? replies_.size() - 1 : random_() % replies_.size();
      world.agent->OnHeartbeat(replies_[which], kNow);
    }
    LetRanksLive(turn);
    if (Chance(3)) {
      world.Restart(absl::StrCat("s", turn));
      replies_.clear();  // Replies to a daemon that is gone reach nobody.
    }
    world.agent->Poll(kNow);
    if (std::optional<OutboxCall> call = world.agent->NextCall()) {
      const bool arrives = Chance(80);
      Deliver(*call, arrives, arrives && Chance(80));
    }
  }
  // Nothing is wanted any more, and nothing is lost.
  void CalmDown() {
    epoch_ = 0;
    for (int turn = 0; turn < 10; ++turn) {
      Answer();
      world.agent->OnHeartbeat(replies_.back(), kNow);
      world.agent->Poll(kNow);
      while (std::optional<OutboxCall> call = world.agent->NextCall()) Deliver(*call, true, true);
    }
  }

  World world;
  std::map<RankKey, std::vector<v1::RankEvent>> applied;

 private:
  bool Chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

  void Answer() {
    v1::HeartbeatResponse reply;
    reply.set_term(1);
    reply.set_generation(++world.generation);
    if (epoch_ > 0) *reply.add_desired() = current_;
    for (const auto& [key, attempt] : world.agent->held()) {
      if (key.epoch != epoch_) *reply.add_desired() = With(Run(key.epoch), v1::DESIRED_FORGET);
    }
    replies_.push_back(reply);
  }
  void LetRanksLive(int turn) {
    for (const auto& [key, folder] : world.host.folders) {
      if (!world.host.Lives(key)) {
        if (Chance(10)) world.host.ReusePid(key);
        continue;
      }
      if (Chance(50)) world.host.Append(key).mutable_step()->set_step(turn);
      if (!Chance(3)) continue;
      if (Chance(50)) world.host.Append(key).mutable_exited();
      world.host.Die(key);
    }
  }
  void Deliver(const OutboxCall& call, bool arrives, bool answered) {
    const auto& report = std::get<v1::ReportEventsRequest>(call.request);
    std::vector<v1::RankEvent>& log = applied[call.rank];
    for (const v1::RankEvent& event : report.events()) {
      if (!arrives || event.seq() <= log.size()) continue;
      REQUIRE(event.seq() == log.size() + 1);
      log.push_back(event);
    }
    v1::ReportEventsResponse response;
    response.set_durable_seq(log.size());
    world.agent->OnReport(call.rank, answered ? absl::OkStatus() : absl::UnavailableError(""),
                          response);
  }

  std::mt19937_64 random_;
  std::vector<v1::HeartbeatResponse> replies_;  // That may arrive now, late or twice.
  uint64_t epoch_ = 0;
  v1::DesiredAttempt current_;
};

}  // namespace

TEST_CASE("Whatever is lost, late, repeated or restarted, each rank runs once and ends once") {
  const uint64_t seed = GENERATE(range(1, 31));
  CAPTURE(seed);
  Storm storm(seed);
  for (int turn = 0; turn < 400; ++turn) storm.Turn(turn);
  storm.CalmDown();
  CHECK(storm.world.agent->held().empty());
  for (const auto& [key, folder] : storm.world.host.folders) {
    CHECK_FALSE(storm.world.host.Lives(key));
  }
  CHECK(storm.applied.size() > 5);
  for (const auto& [key, log] : storm.applied) {
    const auto exits =
        std::count_if(log.begin(), log.end(), [](const auto& event) { return event.has_exited(); });
    CHECK(exits <= 1);
    if (exits == 1) CHECK(log.back().has_exited());
  }
}

}  // namespace ddl::agent
