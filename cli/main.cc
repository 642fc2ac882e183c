// `ddl`: the command line of Deltaworks.
#include <pthread.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <thread>

#include "cli/dispatch.h"
#include "cli/verbs.h"

extern char** environ;

namespace {

using ddl::cli::ExitCode;
using ddl::cli::Interrupt;
using ddl::cli::Io;

// SIGINT and SIGTERM are taken by one thread: the first ends the verb in order, the second at once.
void TakeSignals(Interrupt* interrupt) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals, interrupt] {
    for (int times = 0;; ++times) {
      int signal_number = 0;
      sigwait(&signals, &signal_number);
      if (times > 0) _exit(static_cast<int>(ExitCode::kInterrupted));
      interrupt->Raise();
    }
  }).detach();
}

std::map<std::string, std::string> Environment() {
  std::map<std::string, std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string text = *at;
    const size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return variables;
}

// The user that runs this program, whatever the environment says.
std::string UserName() {
  const passwd* entry = getpwuid(geteuid());
  return entry == nullptr ? "" : entry->pw_name;
}

int TerminalRows() {
  winsize size = {};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
  return known ? size.ws_row : 24;
}

std::string ProgramFolder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // A reader that has seen enough is no failure.
  static Interrupt interrupt;     // Outlives the thread that raises it.
  TakeSignals(&interrupt);
  Io io;
  io.in = &std::cin;
  io.out = &std::cout;
  io.err = &std::cerr;
  io.in_is_tty = isatty(STDIN_FILENO) == 1;
  io.out_is_tty = isatty(STDOUT_FILENO) == 1;
  io.err_is_tty = isatty(STDERR_FILENO) == 1;
  io.rows = TerminalRows();
  io.environment = Environment();
  io.environment["USER"] = UserName();
  io.zone = absl::LocalTimeZone();
  io.program_folder = ProgramFolder();
  io.interrupt = &interrupt;
  const std::vector<std::string> words(argv + 1, argv + argc);
  ExitCode code = Dispatch(ddl::cli::Verbs(), words, io);
  errno = 0;
  std::cout.flush();
  if (!std::cout && errno != EPIPE && errno != 0) {
    std::cerr << "ddl: cannot write to stdout: " << strerror(errno) << "\n";
    if (code == ExitCode::kOk) code = ExitCode::kFailure;
  }
  return static_cast<int>(code);
}
