// ddl-worker: one daemon for each host. It reports its slots and starts, watches and re-adopts rank
// processes. Its own end, by SIGTERM or otherwise, touches no rank; SIGUSR1 drains: every rank
// checkpoints and ends, what they wrote is delivered, and the daemon ends last.
#include <signal.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/credentials.h"
#include "common/files.h"
#include "common/flags.h"
#include "common/logging.h"
#include "common/names.h"
#include "common/rpc_client.h"
#include "common/status.h"
#include "common/version.h"
#include "worker/agent/daemon.h"
#include "worker/agent/host_usage.h"
#include "worker/agent/slots.h"

namespace ddl::agent {
namespace {

std::atomic<bool> stop_requested{false};
std::atomic<bool> drain_requested{false};

constexpr unsigned kEndSeconds = 5;

// Whatever hangs for longer, a reader of the log that does not read or a coordinator that does not
// answer, is cut off by SIGALRM; as by kill -9, nothing is lost by that.
extern "C" void RequestStop(int) {
  stop_requested.store(true);
  alarm(kEndSeconds);
}

extern "C" void RequestDrain(int) { drain_requested.store(true); }

struct WorkerFlags {
  std::string coordinator = "127.0.0.1:7070";
  std::string name;
  int64_t slots = 0;
  std::string http = "127.0.0.1:0";
  std::string state;
  std::string data_root;
  std::string checkpoint_root;
  std::string data_address = "127.0.0.1";
  std::string pool = "default";
  std::string tls_ca;
  std::string token_file;
  std::string rank_binary;
  std::string log_format = "text";
};

Flags Declare(WorkerFlags* values) {
  Flags flags("ddl-worker",
              "--name NAME --state FOLDER --data-root FOLDER --checkpoint-root FOLDER",
              "Runs the ranks that the coordinator places on this host.");
  flags.String("coordinator", "HOST:PORT", "The coordinator's gRPC address.", &values->coordinator);
  flags.String("name", "NAME", "Name of this worker, unique in the cluster.", &values->name);
  flags.Int("slots", "N", "CPU slots; without it, one slot for each GPU.", 1, 1024, &values->slots);
  flags.String("http", "HOST:PORT", "Where /metrics, /healthz and /readyz are served.",
               &values->http);
  flags.String("state", "FOLDER", "State of this worker: run folders, lease.", &values->state);
  flags.String("data-root", "FOLDER", "Folder that data paths of specs are relative to.",
               &values->data_root);
  flags.String("checkpoint-root", "FOLDER", "Folder for checkpoints, shared by all workers.",
               &values->checkpoint_root);
  flags.String("data-address", "ADDRESS", "Where ranks of other hosts reach ranks of this one.",
               &values->data_address);
  flags.String("pool", "NAME", "Pool of this worker's slots.", &values->pool);
  flags.String("tls-ca", "FILE", "Authorities that the coordinator's certificate is checked by.",
               &values->tls_ca);
  flags.String("token-file", "FILE", "File with this worker's token.", &values->token_file);
  flags.String("rank-binary", "PATH", "The rank program; by default ddl-rank beside this one.",
               &values->rank_binary);
  flags.String("log-format", "FORMAT", "text or json.", &values->log_format);
  return flags;
}

absl::Status CheckFlags(const WorkerFlags& flags) {
  for (const auto& [name, value] :
       {std::pair("--name", &flags.name), std::pair("--state", &flags.state),
        std::pair("--data-root", &flags.data_root),
        std::pair("--checkpoint-root", &flags.checkpoint_root)}) {
    if (value->empty()) return absl::InvalidArgumentError(absl::StrCat(name, " must be given"));
  }
  DDL_RETURN_IF_ERROR(Annotate(CheckName(flags.name), "--name"));
  DDL_RETURN_IF_ERROR(Annotate(CheckName(flags.pool), "--pool"));
  return ParseLogFormat(flags.log_format).status();
}

absl::StatusOr<std::string> AbsoluteFolder(const std::string& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  if (error) return absl::NotFoundError(absl::StrCat(path, ": ", error.message()));
  if (!std::filesystem::is_directory(real, error)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a folder"));
  }
  return real.string();
}

absl::StatusOr<std::string> RankProgram(const std::string& given) {
  std::error_code error;
  std::filesystem::path path = given;
  if (given.empty()) {
    path = std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "ddl-rank";
  }
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (access(absolute.c_str(), X_OK) != 0) return ErrnoStatus("cannot execute", absolute.string());
  return absolute.string();
}

absl::StatusOr<DaemonSettings> SettingsFrom(const WorkerFlags& flags, const WorkerFolder& folder,
                                            const Nvml* nvml) {
  DaemonSettings settings;
  DDL_ASSIGN_OR_RETURN(settings.rank_program, RankProgram(flags.rank_binary));
  settings.http_listen = flags.http;
  settings.rank_log_format = flags.log_format;
  AgentSettings& agent = settings.agent;
  agent.worker = flags.name;
  agent.session = RandomToken();
  agent.pool = flags.pool;
  agent.version = std::string(Version());
  DDL_ASSIGN_OR_RETURN(agent.slots, MakeSlots(static_cast<uint32_t>(flags.slots), CpuModel(),
                                              nvml == nullptr ? std::vector<Gpu>() : nvml->gpus()));
  DDL_RETURN_IF_ERROR(MakeFolders(flags.checkpoint_root));
  agent.launch.state_folder = folder.path();
  DDL_ASSIGN_OR_RETURN(agent.launch.data_root, AbsoluteFolder(flags.data_root));
  DDL_ASSIGN_OR_RETURN(agent.launch.checkpoint_root, AbsoluteFolder(flags.checkpoint_root));
  agent.launch.data_address = flags.data_address;
  agent.launch.devices.clear();
  for (const v1::Slot& slot : agent.slots) agent.launch.devices.push_back(slot.device());
  DDL_ASSIGN_OR_RETURN(const WorkerIdentity identity, folder.ReadIdentity());
  agent.cluster_id = identity.cluster_id;
  agent.term = identity.term;
  return settings;
}

std::string UserName() {
  const char* name = std::getenv("USER");
  return name != nullptr ? name : absl::StrCat("uid-", getuid());
}

std::unique_ptr<Nvml> FindGpus() {
  absl::StatusOr<std::unique_ptr<Nvml>> nvml = Nvml::Open();
  if (nvml.ok()) return *std::move(nvml);
  DDL_LOG(Info) << "no GPU: " << nvml.status().message();
  return nullptr;
}

int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable: return kExitUnavailable;
    case absl::StatusCode::kAlreadyExists: return kExitCannotCreate;
    case absl::StatusCode::kFailedPrecondition: return kExitRefused;
    case absl::StatusCode::kInvalidArgument: return kExitUsage;
    default: return kExitSoftware;
  }
}

absl::Status Serve(const WorkerFlags& flags) {
  DDL_ASSIGN_OR_RETURN(const ClientSecurity security,
                       ReadClientSecurity(flags.coordinator, flags.tls_ca, flags.token_file));
  DDL_ASSIGN_OR_RETURN(const WorkerFolder folder, WorkerFolder::Hold(flags.state));
  std::unique_ptr<Nvml> nvml = FindGpus();
  DDL_ASSIGN_OR_RETURN(DaemonSettings settings, SettingsFrom(flags, folder, nvml.get()));
  Daemon daemon(std::move(settings), &folder, std::move(nvml),
                OpenChannel(flags.coordinator, security), {UserName(), security.token});
  return daemon.Run(stop_requested, drain_requested);
}

int Main(int argc, char** argv) {
  WorkerFlags values;
  Flags flags = Declare(&values);
  if (const auto code = flags.ParseForMain(argc, argv, std::cout, std::cerr)) return *code;
  if (const absl::Status checked = CheckFlags(values); !checked.ok()) {
    std::cerr << "ddl-worker: " << checked.message() << "\n";
    return kExitUsage;
  }
  InitLogging(*ParseLogFormat(values.log_format), "worker", {{"trace_id", RandomToken()}});
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, RequestStop);
  signal(SIGINT, RequestStop);
  signal(SIGUSR1, RequestDrain);
  const absl::Status served = Serve(values);
  if (served.ok()) {
    DDL_LOG(Info) << (drain_requested.load() ? "ends, drained" : "ends; its ranks go on");
    return 0;
  }
  DDL_LOG(Error) << served.message();
  return ExitCodeOf(served);
}

}  // namespace
}  // namespace ddl::agent

int main(int argc, char** argv) { return ddl::agent::Main(argc, argv); }
