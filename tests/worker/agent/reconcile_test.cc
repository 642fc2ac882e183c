#include "worker/agent/reconcile.h"

#include <catch2/catch.hpp>

namespace ddl::agent {
namespace {

constexpr char kReconciled[] = "k3v9x2mq";

v1::HeartbeatResponse Reply(uint64_t term, uint64_t generation) {
  v1::HeartbeatResponse reply;
  reply.set_term(term);
  reply.set_generation(generation);
  return reply;
}

v1::DesiredAttempt* Want(v1::HeartbeatResponse* reply, v1::Desired desired, uint64_t epoch = 1,
                         const std::vector<uint32_t>& ranks = {0}, uint32_t world_size = 1) {
  v1::DesiredAttempt* attempt = reply->add_desired();
  attempt->set_run(kReconciled);
  attempt->set_epoch(epoch);
  attempt->set_desired(desired);
  attempt->set_world_size(world_size);
  attempt->set_grace_seconds(60);
  for (const uint32_t rank : ranks) attempt->add_ranks()->set_rank(rank);
  return attempt;
}

HeldAttempts Running(uint64_t epoch = 1) {
  HeldAttempts held;
  HeldRank& rank = held[{kReconciled, epoch}].ranks[0];
  rank.process = {100, 5, "boot"};
  rank.state = v1::RANK_STATE_RUNNING;
  return held;
}

HeldAttempts Exited() {
  HeldAttempts held = Running();
  HeldRank& rank = held[{kReconciled, 1}].ranks[0];
  rank.gone = true;
  rank.state = v1::RANK_STATE_EXITED;
  return held;
}

std::vector<ActionKind> Kinds(const std::vector<Action>& actions) {
  std::vector<ActionKind> kinds;
  for (const Action& action : actions) kinds.push_back(action.kind);
  return kinds;
}

using Expected = std::vector<ActionKind>;

}  // namespace

TEST_CASE("An attempt that is desired and not held is started once") {
  Reconciler reconciler(0);
  v1::HeartbeatResponse reply = Reply(1, 1);
  Want(&reply, v1::DESIRED_RUN);
  CHECK(Kinds(reconciler.React({}, reply)) == Expected{ActionKind::kStart});
  CHECK(Kinds(reconciler.React(Running(), reply)) == Expected{});
}

TEST_CASE("A reply of a lower term or generation asks for nothing") {
  Reconciler reconciler(4);
  v1::HeartbeatResponse old_term = Reply(3, 900);
  Want(&old_term, v1::DESIRED_KILL);
  CHECK(reconciler.React(Running(), old_term).empty());

  v1::HeartbeatResponse newer = Reply(4, 7);
  Want(&newer, v1::DESIRED_RUN);
  CHECK(reconciler.React(Running(), newer).empty());
  v1::HeartbeatResponse older = Reply(4, 6);
  Want(&older, v1::DESIRED_KILL);
  CHECK(reconciler.React(Running(), older).empty());
  v1::HeartbeatResponse next_term = Reply(5, 1);
  Want(&next_term, v1::DESIRED_KILL);
  CHECK(Kinds(reconciler.React(Running(), next_term)) == Expected{ActionKind::kKill});
  CHECK(reconciler.term() == 5);
}

TEST_CASE("A registration of a lower term is not believed") {
  Reconciler reconciler(4);
  CHECK_FALSE(reconciler.SeeTerm(3));
  CHECK(reconciler.SeeTerm(4));
  CHECK(reconciler.SeeTerm(9));
  CHECK_FALSE(reconciler.SeeTerm(8));
}

TEST_CASE("While the coordinator says hold, nothing is changed") {
  Reconciler reconciler(0);
  v1::HeartbeatResponse reply = Reply(1, 1);
  reply.set_hold(true);
  reply.add_deletions()->set_folder("x");
  CHECK(reconciler.React(Running(), reply).empty());
  CHECK(reconciler.holding());
  CHECK(Kinds(reconciler.React(Running(), Reply(1, 2))) == Expected{ActionKind::kKill});
  CHECK_FALSE(reconciler.holding());
}

TEST_CASE(
    "An attempt that the coordinator does not name is killed, and forgotten when it is gone") {
  Reconciler reconciler(0);
  CHECK(Kinds(reconciler.React(Running(), Reply(1, 1))) == Expected{ActionKind::kKill});
  CHECK(Kinds(reconciler.React(Exited(), Reply(1, 1))) == Expected{ActionKind::kForget});
}

TEST_CASE("A process that may live is never forgotten") {
  Reconciler reconciler(0);
  v1::HeartbeatResponse reply = Reply(1, 1);
  Want(&reply, v1::DESIRED_FORGET);
  CHECK(Kinds(reconciler.React(Running(), reply)) == Expected{ActionKind::kKill});
  HeldAttempts gone_but_unread = Running();
  gone_but_unread[{kReconciled, 1}].ranks[0].gone = true;
  CHECK(reconciler.React(gone_but_unread, reply).empty());
  CHECK(Kinds(reconciler.React(Exited(), reply)) == Expected{ActionKind::kForget});
}

TEST_CASE("A drain is asked for once and becomes a kill when its grace is over") {
  Reconciler reconciler(0);
  v1::HeartbeatResponse reply = Reply(1, 1);
  Want(&reply, v1::DESIRED_DRAIN);
  HeldAttempts held = Running();
  const std::vector<Action> actions = reconciler.React(held, reply);
  REQUIRE(Kinds(actions) == Expected{ActionKind::kDrain});
  CHECK(actions[0].grace == absl::Seconds(60));

  const absl::Time begun = absl::FromUnixSeconds(1000);
  held[{kReconciled, 1}].ranks[0].draining_since = begun;
  held[{kReconciled, 1}].ranks[0].grace = actions[0].grace;
  CHECK(reconciler.React(held, reply).empty());
  CHECK(OverdueDrains(held, begun + absl::Seconds(59)).empty());
  CHECK(Kinds(OverdueDrains(held, begun + absl::Seconds(60))) == Expected{ActionKind::kKill});
}

TEST_CASE("Ranks wait for the port of a rank 0 on another host") {
  Reconciler reconciler(0);
  v1::HeartbeatResponse reply = Reply(1, 1);
  Want(&reply, v1::DESIRED_RUN, 1, {1}, 2);
  CHECK(Kinds(reconciler.React({}, reply)) == Expected{ActionKind::kAccept});

  HeldAttempts waiting;
  waiting[{kReconciled, 1}].ranks[1] = {};
  CHECK(reconciler.React(waiting, reply).empty());
  v1::HeartbeatResponse named = Reply(1, 2);
  Want(&named, v1::DESIRED_RUN, 1, {1}, 2)->set_rendezvous_port(4000);
  CHECK(Kinds(reconciler.React(waiting, named)) == Expected{ActionKind::kStart});
}

TEST_CASE("The worker of rank 0 starts all its ranks without waiting") {
  Reconciler reconciler(0);
  v1::HeartbeatResponse reply = Reply(1, 1);
  Want(&reply, v1::DESIRED_RUN, 1, {0, 1}, 4);
  const std::vector<Action> actions = reconciler.React({}, reply);
  REQUIRE(Kinds(actions) == Expected{ActionKind::kStart});
  CHECK(actions[0].ranks == std::vector<uint32_t>{0, 1});
}

TEST_CASE("An attempt that has begun to end starts no more ranks") {
  Reconciler reconciler(0);
  v1::HeartbeatResponse reply = Reply(1, 1);
  Want(&reply, v1::DESIRED_RUN, 1, {0, 1}, 2);
  CHECK(Kinds(reconciler.React(Running(), reply)) == Expected{ActionKind::kStart});
  CHECK(reconciler.React(Exited(), reply).empty());
  HeldAttempts failed = Running();
  failed[{kReconciled, 1}].launch_error = "no such data";
  CHECK(reconciler.React(failed, reply).empty());
}

TEST_CASE("Old epochs stop before new ones start, and checkpoints go last") {
  Reconciler reconciler(0);
  v1::HeartbeatResponse reply = Reply(1, 1);
  Want(&reply, v1::DESIRED_RUN, 2);
  reply.add_deletions()->set_folder("k3v9x2mq/e1/step-10");
  CHECK(Kinds(reconciler.React(Running(1), reply)) ==
        Expected{ActionKind::kKill, ActionKind::kStart, ActionKind::kDeleteCheckpoint});
}

}  // namespace ddl::agent
