// The program itself: exit codes, what it leaves on disk, and kill -9.
#include <signal.h>

#include <catch2/catch.hpp>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/files.h"
#include "tests/common/scratch_folder.h"
#include "tests/coordinator/coordinator_process.h"
#include "tests/coordinator/service/running_coordinator.h"

namespace ddl::coordinator {
namespace {

std::vector<std::string> Arguments(const std::string& state) {
  return {"--state", state, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--bootstrap"};
}

// A serving process on `folder`/state; removes an old address first, so as not to read that.
struct Serving {
  explicit Serving(const ScratchFolder& folder)
      : state(folder / "state"), process(Start(folder), folder / "log") {
    address = process.Address(state + "/address", "grpc");
  }
  std::vector<std::string> Start(const ScratchFolder& folder) const {
    if (FileExists(folder / "state/address")) {
      REQUIRE(WriteFileAtomically(folder / "state/address", "old\n").ok());
    }
    return Arguments(state);
  }
  std::string state;
  CoordinatorProcess process;
  std::string address;
};

absl::Status SubmitTo(v1::Experiments::Stub* stub, const std::string& request_id,
                      std::string* run) {
  v1::SubmitExperimentRequest request;
  request.set_request_id(request_id);
  *request.mutable_spec() = SmallSpec("needle");
  request.set_queue(true);
  v1::SubmitExperimentResponse response;
  const absl::Status status =
      RunningCoordinator::Call(stub, &v1::Experiments::Stub::SubmitExperiment, request, &response);
  if (status.ok()) *run = response.runs(0).id();
  return status;
}

std::set<std::string> AllRuns(const std::string& address) {
  const auto stub = v1::Experiments::NewStub(OpenChannel(address, {}));
  std::set<std::string> runs;
  v1::ListRunsRequest request;
  do {
    v1::ListRunsResponse page;
    REQUIRE(RunningCoordinator::Call(stub.get(), &v1::Experiments::Stub::ListRuns, request, &page)
                .ok());
    for (const v1::Run& run : page.runs()) CHECK(runs.insert(run.id()).second);
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return runs;
}

std::string HashOf(const std::string& state) {
  std::string output;
  REQUIRE(RunCoordinator({"--state", state, "--verify-journal"}, &output) == 0);
  for (const absl::string_view line : absl::StrSplit(output, '\n')) {
    if (absl::StartsWith(line, "hash ")) return std::string(line.substr(5));
  }
  FAIL("no hash in: " << output);
  return "";
}

TEST_CASE("wrong flags end with 64 and a suggestion") {
  std::string output;
  CHECK(RunCoordinator({"--stat", "x"}, &output) == 64);
  CHECK(absl::StrContains(output, "did you mean --state?"));
  CHECK(RunCoordinator({}, &output) == 64);
  CHECK(absl::StrContains(output, "--state is needed"));
  CHECK(RunCoordinator({"--state", "x", "--log-format", "xml"}, &output) == 64);
  CHECK(RunCoordinator({"--version"}, &output) == 0);
}

TEST_CASE("an address that is no loopback needs TLS and tokens: 78, with the rule") {
  const ScratchFolder folder;
  for (const char* flag : {"--listen", "--http"}) {
    std::string output;
    CHECK(RunCoordinator({"--state", folder / "state", "--bootstrap", flag, "0.0.0.0:0"},
                         &output) == 78);
    CHECK(absl::StrContains(output, "0.0.0.0:0"));
    CHECK(absl::StrContains(output, "token file"));
    CHECK_FALSE(FileExists(folder / "state"));
  }
}

TEST_CASE("an empty folder without --bootstrap ends with 78") {
  const ScratchFolder folder;
  std::string output;
  CHECK(RunCoordinator({"--state", folder / "state"}, &output) == 78);
  CHECK(absl::StrContains(output, "--bootstrap"));
}

TEST_CASE("a second coordinator ends with 73 and names the first, a port in use ends with 69") {
  const ScratchFolder folder;
  Serving first(folder);
  std::string output;
  CHECK(RunCoordinator(Arguments(first.state), &output) == 73);
  CHECK(absl::StrContains(output, absl::StrCat("pid ", first.process.pid())));
  for (const char* flag : {"--listen", "--http"}) {
    std::vector<std::string> arguments = {"--state",    folder / "other", "--bootstrap",
                                          "--listen",   "127.0.0.1:0",    "--http",
                                          "127.0.0.1:0"};
    arguments[flag == std::string("--listen") ? 4 : 6] = first.address;
    CHECK(RunCoordinator(arguments, &output) == 69);
    CHECK(absl::StrContains(output, first.address));
  }
  first.process.Signal(SIGTERM);
  CHECK(first.process.Wait() == 0);
}

TEST_CASE("1,000 submissions from four clients and a kill -9 among them: all there, none twice") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const ScratchFolder folder;
  std::map<std::string, std::string> answered;  // Request id -> run.
  std::mutex mutex;
  auto serving = std::make_unique<Serving>(folder);
  const size_t kill_at = 100 + random() % 800;
  const auto submit_all = [&](size_t client, const std::string& address) {
    const auto stub = v1::Experiments::NewStub(OpenChannel(address, {}));
    for (size_t i = client; i < 1000; i += 4) {
      const std::string id = absl::StrCat("r", i);
      std::string run;
      if (!SubmitTo(stub.get(), id, &run).ok()) return;
      const std::lock_guard<std::mutex> lock(mutex);
      const auto [place, is_new] = answered.emplace(id, run);
      CHECK((is_new || place->second == run));
      if (is_new && answered.size() == kill_at) serving->process.Signal(SIGKILL);
    }
  };
  for (int start = 0; start < 2; ++start) {
    std::vector<std::thread> clients;
    for (size_t client = 0; client < 4; ++client) {
      clients.emplace_back(submit_all, client, serving->address);
    }
    for (std::thread& client : clients) client.join();
    if (start == 1) break;
    CHECK(serving->process.Wait() == 128 + SIGKILL);
    REQUIRE(answered.size() < 1000);
    const std::string hash = HashOf(serving->state);
    CHECK(HashOf(serving->state) == hash);
    serving = std::make_unique<Serving>(folder);
    const std::set<std::string> runs = AllRuns(serving->address);
    for (const auto& [id, run] : answered) CHECK(runs.count(run) == 1);
    CHECK(runs.size() <= answered.size() + 4);  // Durable, but the answer was not received.
    std::cout << "killed at " << kill_at << " answers, " << runs.size() << " runs are there\n";
  }
  CHECK(answered.size() == 1000);
  CHECK(AllRuns(serving->address).size() == 1000);
}

TEST_CASE("a damaged record stops the start with 78 and its place") {
  const ScratchFolder folder;
  {
    Serving serving(folder);
    const auto stub = v1::Experiments::NewStub(OpenChannel(serving.address, {}));
    std::string run;
    for (int i = 0; i < 20; ++i) {
      CHECK(SubmitTo(stub.get(), absl::StrCat("r", i), &run) == absl::OkStatus());
    }
    serving.process.Signal(SIGTERM);
    REQUIRE(serving.process.Wait() == 0);
  }
  const std::string file = folder / "state/coordinator.db";
  std::string bytes = Slurp(file);
  const size_t at = bytes.find("needle", bytes.find("data/text"));  // Inside a record.
  REQUIRE(at != std::string::npos);
  bytes[at] = 'N';
  Spit(file, bytes);
  std::string output;
  CHECK(RunCoordinator(Arguments(folder / "state"), &output) == 78);
  CHECK(absl::StrContains(output, "journal record "));
  CHECK(absl::StrContains(output, "wrong checksum"));
}

}  // namespace
}  // namespace ddl::coordinator
