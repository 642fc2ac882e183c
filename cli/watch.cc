// `ddl watch`: runs as they train.
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "cli/client.h"
#include "cli/follow.h"
#include "cli/selection.h"
#include "cli/verbs.h"
#include "common/status.h"

namespace ddl::cli {
namespace {

constexpr int kKeyPollMilliseconds = 100;

// Reads keys without waiting for Enter while it lives; `q` raises the interrupt. The terminal is as
// before afterwards.
class QuitKey {
 public:
  explicit QuitKey(Io& io) : interrupt_(io.interrupt) {
    if (!io.in_is_tty || tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    active_ = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    if (active_) thread_ = std::thread([this] { Listen(); });
  }
  ~QuitKey() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    if (active_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  QuitKey(const QuitKey&) = delete;
  QuitKey& operator=(const QuitKey&) = delete;
  bool pressed() const { return pressed_; }

 private:
  void Listen() {
    while (!stop_) {
      pollfd keys = {STDIN_FILENO, POLLIN, 0};
      char key = 0;
      if (poll(&keys, 1, kKeyPollMilliseconds) <= 0) continue;
      if (read(STDIN_FILENO, &key, 1) != 1) return;
      if (key != 'q' && key != 'Q') continue;
      pressed_ = true;
      interrupt_->Raise();
      return;
    }
  }

  Interrupt* interrupt_;
  termios before_ = {};
  bool active_ = false;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> pressed_ = false;
  std::thread thread_;
};

absl::StatusOr<ExitCode> RunWatch(const Arguments& arguments, Io& io) {
  FollowRequest request;
  DDL_ASSIGN_OR_RETURN(request.selector, SelectorOf(arguments.positional, arguments));
  if (IsEmpty(request.selector)) request.selector.add_runs("@last");
  request.screen = io.out;
  request.json_lines = arguments.output == Format::kJson || arguments.output == Format::kJsonLines;
  request.redraw = io.out_is_tty && !request.json_lines && io.Env("TERM") != "dumb";
  DDL_ASSIGN_OR_RETURN(const auto client, Client::Connect(arguments, io));
  const QuitKey quit(io);
  const auto runs = Follow(*client, request, arguments, io);
  if (quit.pressed()) return ExitCode::kOk;
  if (!runs.ok()) return runs.status();
  return ExitCode::kOk;
}

}  // namespace

Verb WatchVerb() {
  return {.name = "watch",
          .positional = "[RUN...]",
          .max_positional = -1,
          .doc = "Follow runs as they train; default @last",
          .more =
              "On a terminal the table is drawn again in place; q or Ctrl-C ends the watching\n"
              "and never touches a run. Elsewhere it prints a line for each change of state\n"
              "and one every ten seconds; -o jsonl prints every update.",
          .flags = WithSelectionFlags({}),
          .streams = true,
          .run = RunWatch};
}

}  // namespace ddl::cli
