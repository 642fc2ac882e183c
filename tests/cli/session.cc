#include "tests/cli/session.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/selection.h"
#include "common/files.h"
#include "common/rpc_client.h"
#include "tests/places.h"

namespace ddl::cli {
namespace {

constexpr char kWorker[] = "w1";
constexpr char kSession[] = "session-of-the-test";
constexpr int64_t kTokensOfStep = 2048;

template <typename Response, typename Call>
Response MustCall(const Call& call) {
  grpc::ClientContext context;
  PrepareCall(&context, absl::Now() + absl::Seconds(30), {.user = "tester", .token = ""});
  Response response;
  const grpc::Status status = call(&context, &response);
  INFO(status.error_message());
  REQUIRE(status.ok());
  return response;
}

v1::RankEvent StepEvent(int step, double loss) {
  v1::RankEvent event;
  v1::StepRecord& record = *event.mutable_step();
  record.set_step(step);
  record.set_tokens(step * kTokensOfStep);
  record.set_flops(static_cast<double>(step) * 1e9);
  record.set_active_seconds(step * 0.1);
  for (const char* name : {"train_loss", "val_loss"}) {
    v1::Sample& sample = *record.add_samples();
    sample.set_name(name);
    sample.set_value(loss);
  }
  v1::Sample& gate = *record.add_samples();
  gate.set_name("gate_beta_mean");
  gate.set_layer("0");
  gate.set_sublayer("attn");
  gate.set_value(1.0);
  return event;
}

v1::RankEvent ExitEvent(bool good, int step) {
  v1::RankEvent event;
  v1::RankExited& exited = *event.mutable_exited();
  exited.set_exit_code(good ? 0 : 2);
  exited.set_class_(good ? v1::EXIT_CLASS_SUCCESS : v1::EXIT_CLASS_USER);
  exited.set_message(good ? "" : "loss is not finite");
  exited.set_step(step);
  return event;
}

}  // namespace

TempFolder::TempFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "ddl-cli-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempFolder::Write(const std::string& name, const std::string& text) const {
  const std::string path = path_ + "/" + name;
  std::ofstream(path) << text;
  return path;
}

std::string TinySpec() {
  return "version: 1\n"
         "name: tiny\n"
         "experiment: tests\n"
         "seed: 1\n"
         "model:\n"
         "  d_model: 64\n"
         "  n_layers: 2\n"
         "  n_heads: 2\n"
         "  max_seq_len: 128\n"
         "  residual: {kind: additive}\n"
         "data:\n"
         "  path: text\n"
         "train:\n"
         "  tokens: 20480\n"
         "  global_batch_tokens: 2048\n"
         "resources: {max_restarts: 0}\n";
}

Cluster::Cluster() {
  const std::string program = BuildPath("bin/ddl-coordinator");
  const std::string state = folder_.path() + "/state";
  std::vector<std::string> words = {program,       "--listen", "127.0.0.1:0", "--http",
                                    "127.0.0.1:0", "--state",  state,         "--bootstrap"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  const std::string log = folder_.path() + "/log";
  posix_spawn_file_actions_addopen(&files, 2, log.c_str(), O_WRONLY | O_CREAT, 0600);
  REQUIRE(posix_spawn(&pid_, program.c_str(), &files, nullptr, arguments.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&files);
  const absl::Time limit = absl::Now() + absl::Seconds(30);
  while (address_.empty()) {
    INFO(ReadFile(log).value_or(""));
    REQUIRE(absl::Now() < limit);
    const std::string text = ReadFile(state + "/address").value_or("");
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      if (absl::ConsumePrefix(&line, "grpc=")) address_ = std::string(line);
    }
    if (address_.empty()) Interrupt().WaitFor(absl::Milliseconds(20));
  }
  const auto channel = OpenChannel(address_, ClientSecurity());
  workers_ = v1::Workers::NewStub(channel);
  experiments_ = v1::Experiments::NewStub(channel);
}

void Cluster::Stop() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

Cluster::~Cluster() { Stop(); }

void Cluster::AddWorker(uint32_t slots) {
  v1::RegisterRequest request;
  request.set_request_id("register-of-the-test");
  request.set_worker(kWorker);
  request.set_session(kSession);
  request.set_boot_id("boot");
  request.set_pool("default");
  request.set_data_address("127.0.0.1");
  request.set_http_address("127.0.0.1:1");
  request.set_version("0.1.0");
  for (uint32_t i = 0; i < slots; ++i) {
    v1::Slot& slot = *request.add_slots();
    slot.set_index(i);
    slot.set_device("cpu");
  }
  const auto registered = MustCall<v1::RegisterResponse>([&](auto* context, auto* response) {
    return workers_->Register(context, request, response);
  });
  term_ = registered.term();
}

void Cluster::Beat() {
  v1::HeartbeatRequest request;
  request.set_worker(kWorker);
  request.set_session(kSession);
  request.set_sequence(++sequence_);
  request.set_term_seen(term_);
  for (const auto& [run, held] : held_) {
    v1::InventoryAttempt& attempt = *request.add_inventory();
    attempt.set_run(run);
    attempt.set_epoch(held.desired.epoch());
    v1::InventoryRank& rank = *attempt.add_ranks();
    rank.set_pid(held.exited ? 0 : 4242);
    rank.set_state(held.exited ? v1::RANK_STATE_EXITED : v1::RANK_STATE_RUNNING);
    rank.set_spool_seq(held.seq);
    rank.set_delivered_seq(held.seq);
  }
  const auto response = MustCall<v1::HeartbeatResponse>(
      [&](auto* context, auto* answer) { return workers_->Heartbeat(context, request, answer); });
  std::map<std::string, Held> kept;
  for (const v1::DesiredAttempt& desired : response.desired()) {
    if (desired.desired() == v1::DESIRED_FORGET) continue;
    const auto known = held_.find(desired.run());
    const bool same = known != held_.end() && known->second.desired.epoch() == desired.epoch();
    if (same) {
      Held held = known->second;
      const bool end = desired.desired() != v1::DESIRED_RUN;
      held.exited = held.exited || end;
      kept[desired.run()] = held;
    } else if (desired.desired() == v1::DESIRED_RUN) {
      Held held{desired};
      v1::RankEvent started;
      started.mutable_started()->set_pid(4242);
      started.mutable_started()->set_device("cpu");
      started.mutable_started()->set_engine("autograd");
      Report(&held, {started});
      kept[desired.run()] = held;
    }
  }
  held_ = std::move(kept);
}

void Cluster::Report(Held* held, std::vector<v1::RankEvent> events) {
  v1::ReportEventsRequest request;
  request.set_worker(kWorker);
  request.set_session(kSession);
  request.set_run(held->desired.run());
  request.set_epoch(held->desired.epoch());
  for (v1::RankEvent& event : events) {
    event.set_seq(++held->seq);
    event.mutable_time()->set_seconds(absl::ToUnixSeconds(absl::Now()));
    *request.add_events() = event;
  }
  const auto response = MustCall<v1::ReportEventsResponse>([&](auto* context, auto* answer) {
    return workers_->ReportEvents(context, request, answer);
  });
  REQUIRE(response.durable_seq() == held->seq);
}

void Cluster::WriteLog(const std::string& run, const std::string& text, bool end) {
  Held& held = held_.at(run);
  v1::ReportLogRequest request;
  request.set_worker(kWorker);
  request.set_session(kSession);
  request.set_run(run);
  request.set_epoch(held.desired.epoch());
  request.set_offset(held.log_bytes);
  request.set_data(text);
  request.set_end(end);
  const auto response = MustCall<v1::ReportLogResponse>(
      [&](auto* context, auto* answer) { return workers_->ReportLog(context, request, answer); });
  held.log_bytes += text.size();
  REQUIRE(response.next_offset() == held.log_bytes);
}

bool Cluster::AllEnded() {
  const auto listed = MustCall<v1::ListRunsResponse>([&](auto* context, auto* answer) {
    return experiments_->ListRuns(context, v1::ListRunsRequest(), answer);
  });
  return std::all_of(listed.runs().begin(), listed.runs().end(),
                     [](const v1::Run& run) { return HasEnded(run.state()); });
}

void Cluster::TrainAll(int steps,
                       const std::function<double(const v1::ExperimentSpec&, int)>& loss) {
  const absl::Time limit = absl::Now() + absl::Seconds(60);
  while (!AllEnded()) {
    REQUIRE(absl::Now() < limit);
    Beat();
    bool worked = false;
    for (auto& [run, held] : held_) {
      if (held.exited) continue;
      std::vector<v1::RankEvent> events;
      bool good = true;
      for (int step = 1; step <= steps; ++step) {
        const double value = loss(held.desired.spec(), step);
        good = good && std::isfinite(value);
        if (good) events.push_back(StepEvent(step, value));
      }
      events.push_back(ExitEvent(good, steps));
      Report(&held, std::move(events));
      held.exited = true;
      worked = true;
    }
    if (!worked) Interrupt().WaitFor(absl::Milliseconds(20));
  }
}

Session::Session() {
  ddl.environment = {{"DDL_ADDR", cluster.address()}, {"USER", "tester"}};
  spec = folder.Write("tiny.yaml", TinySpec());
}

Json Session::RunJson(std::vector<std::string> words) {
  words.insert(words.begin(), {"-o", "json"});
  const Outcome outcome = ddl.Run(words);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return Json::parse(outcome.out);
}

double LossOf(const v1::ExperimentSpec& spec, int step) {
  const double residual = spec.model().residual().kind() == "ddl" ? -0.1 : 0.0;
  return 4.0 + residual + 0.01 * static_cast<double>(spec.seed()) - 0.1 * step;
}

}  // namespace ddl::cli
