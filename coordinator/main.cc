// ddl-coordinator: flags, the order of start and stop, and exit codes. Everything else is in the
// libraries beside it.
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/credentials.h"
#include "common/files.h"
#include "common/flags.h"
#include "common/http_server.h"
#include "common/logging.h"
#include "common/names.h"
#include "common/status.h"
#include "common/version.h"
#include "coordinator/core/sequencer.h"
#include "coordinator/service/commit_loop.h"
#include "coordinator/service/log_store.h"
#include "coordinator/service/server.h"
#include "coordinator/store/sqlite_store.h"
#include "coordinator/web/routes.h"
#include "coordinator/web/scrape.h"

namespace ddl::coordinator {
namespace {

struct Options {
  std::string listen = "127.0.0.1:7070";
  std::string http = "127.0.0.1:7071";
  std::string health;
  std::string state;
  CredentialFiles credentials;
  std::string log_format = "text";
  int64_t log_rank_bytes = int64_t{16} << 20;
  int64_t log_total_bytes = int64_t{1} << 30;
  int64_t log_reader_seconds = 10;
  bool bootstrap = false;
  bool verify_journal = false;
};

void Declare(Flags* flags, Options* options) {
  flags->String("listen", "HOST:PORT", "Address for gRPC; port 0 is a free one (127.0.0.1:7070).",
                &options->listen);
  flags->String("http", "HOST:PORT", "Address for metrics, health and JSON (127.0.0.1:7071).",
                &options->http);
  flags->String("health", "HOST:PORT", "Address for grpc.health.v1 alone, without TLS (none).",
                &options->health);
  flags->String("state", "DIR", "Folder of the journal, on a local disk. Needed.", &options->state);
  flags->Bool("bootstrap", "Begin a new cluster if the folder is empty.", &options->bootstrap);
  flags->String("tls-cert", "FILE", "Certificate in PEM; with it clients use TLS.",
                &options->credentials.tls_cert);
  flags->String("tls-key", "FILE", "Its key.", &options->credentials.tls_key);
  flags->String("token-file", "FILE", "Tokens that clients may present, one a line: id.secret.",
                &options->credentials.tokens);
  flags->String("log-format", "text|json", "Format of the log on standard error (text).",
                &options->log_format);
  flags->Int("log-rank-bytes", "N", "What is kept of one rank's log in one attempt (16 MiB).", 1024,
             int64_t{1} << 40, &options->log_rank_bytes);
  flags->Int("log-total-bytes", "N", "What is kept of all ranks' logs together (1 GiB).", 1024,
             int64_t{1} << 50, &options->log_total_bytes);
  flags->Int("log-reader-seconds", "N", "How long a reader of logs may take for 64 KiB (10).", 1,
             3600, &options->log_reader_seconds);
  flags->Bool("verify-journal", "Check and replay the journal, print the state's hash, and end.",
              &options->verify_journal);
}

int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk: return 0;
    case absl::StatusCode::kInvalidArgument: return kExitUsage;
    case absl::StatusCode::kUnavailable: return kExitUnavailable;
    case absl::StatusCode::kAlreadyExists: return kExitCannotCreate;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kDataLoss: return kExitRefused;
    default: return kExitSoftware;
  }
}

absl::Status VerifyJournal(const Options& options) {
  DDL_ASSIGN_OR_RETURN(const std::unique_ptr<SqliteStore> store,
                       SqliteStore::Open({.folder = options.state}));
  DDL_ASSIGN_OR_RETURN(const Core core, ReplayJournal(store.get(), CoreSettings()));
  for (const std::string& warning : store->warnings()) DDL_LOG(Warning) << warning;
  std::cout << "records " << store->JournalSeq() << "\nversion " << core.state().version
            << "\nterm " << core.state().term << "\nruns " << core.state().runs.size() << "\nhash "
            << core.Hash() << std::endl;
  return absl::OkStatus();
}

// Blocks the signals that end the program, for this thread and those it starts; Wait takes one.
class EndSignals {
 public:
  EndSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    signal(SIGPIPE, SIG_IGN);
  }
  std::string Wait() const {
    int taken = 0;
    sigwait(&set_, &taken);
    return taken == SIGTERM ? "SIGTERM" : "SIGINT";
  }

 private:
  sigset_t set_ = {};
};

absl::Status Serve(const Options& options, const EndSignals& signals) {
  const absl::Time start = absl::Now();
  DDL_ASSIGN_OR_RETURN(ServerSecurity security,
                       ReadServerSecurity(options.listen, options.credentials));
  DDL_RETURN_IF_ERROR(ReadServerSecurity(options.http, options.credentials).status());
  DDL_ASSIGN_OR_RETURN(
      const std::unique_ptr<SqliteStore> store,
      SqliteStore::Open({.folder = options.state, .bootstrap = options.bootstrap}));
  DDL_ASSIGN_OR_RETURN(const std::unique_ptr<CommitLoop> loop,
                       CommitLoop::Start(store.get(), SequencerSettings()));
  for (const std::string& warning : store->warnings()) DDL_LOG(Warning) << warning;

  DDL_ASSIGN_OR_RETURN(const std::unique_ptr<LogStore> logs,
                       LogStore::Open(absl::StrCat(options.state, "/logs"),
                                      {static_cast<uint64_t>(options.log_rank_bytes),
                                       static_cast<uint64_t>(options.log_total_bytes)}));
  CallGate gate;
  RunReader runs(loop.get(), store.get());
  SeriesReader series(loop.get(), store.get());
  Scrape scrape(loop.get(), store.get(), &gate);
  DDL_ASSIGN_OR_RETURN(
      const std::unique_ptr<HttpServer> http,
      HttpServer::Start(options.http, MakeRoutes({.loop = loop.get(),
                                                  .runs = &runs,
                                                  .series = &series,
                                                  .scrape = &scrape,
                                                  .local = IsLoopback(options.http)})));
  DDL_ASSIGN_OR_RETURN(
      const std::unique_ptr<Server> server,
      Server::Start({.address = options.listen,
                     .http_address = http->address(),
                     .health_address = options.health,
                     .security = std::move(security),
                     .log_reader_patience = absl::Seconds(options.log_reader_seconds)},
                    loop.get(), store.get(), logs.get(), &gate));
  DDL_RETURN_IF_ERROR(WriteFileAtomically(
      absl::StrCat(options.state, "/address"),
      absl::StrCat("grpc=", server->address(), "\nhttp=", http->address(), "\n")));
  DDL_LOG(Info, {"grpc", server->address()}, {"http", http->address()})
      << "serving after " << absl::FormatDuration(absl::Now() - start) << ", "
      << store->JournalSeq() << " journal records, version " << VersionLine();
  DDL_LOG(Info) << "ending after " << signals.Wait();
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  // gRPC's own lines on standard error say nothing that our errors do not. A user's setting stays.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  Options options;
  Flags flags("ddl-coordinator", "--state DIR [flags]",
              "Keeps experiments, places runs on workers and stores their metrics.");
  Declare(&flags, &options);
  if (const std::optional<int> exit = flags.ParseForMain(argc, argv, std::cout, std::cerr)) {
    return *exit;
  }
  const absl::StatusOr<LogFormat> format = ParseLogFormat(options.log_format);
  if (!format.ok() || options.state.empty()) {
    std::cerr << "ddl-coordinator: "
              << (format.ok() ? "--state is needed" : format.status().message())
              << "\nsee ddl-coordinator --help\n";
    return kExitUsage;
  }
  const EndSignals signals;
  InitLogging(*format, "coordinator", {{"trace_id", RandomToken()}});
  const absl::Status ended =
      options.verify_journal ? VerifyJournal(options) : Serve(options, signals);
  if (!ended.ok()) DDL_LOG(Error) << ended.message();
  return ExitCodeOf(ended);
}

}  // namespace
}  // namespace ddl::coordinator

int main(int argc, char** argv) { return ddl::coordinator::Main(argc, argv); }
