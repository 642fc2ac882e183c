// Follows runs until they have ended or have come as far as asked, and shows them meanwhile: a
// table that is drawn again on a terminal, lines elsewhere (each change of state, and one line
// every ten seconds). What `watch`, `wait` and `submit --follow` share.
#pragma once

#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/client.h"
#include "cli/verb.h"
#include "proto/ddl/v1/experiments.pb.h"

namespace ddl::cli {

struct FollowRequest {
  v1::RunSelector selector;
  // Whether a run has come as far as asked; absent: until it has ended.
  std::function<bool(const v1::Run&)> reached;
  std::ostream* screen = nullptr;  // Where progress is shown; null: nowhere.
  bool redraw = false;             // `screen` is a terminal.
  bool json_lines = false;         // Each update as one line of JSON instead.
};

// The last state of each run, newest first, once all have ended or come so far. kNotFound when the
// selector matches nothing; kCancelled after Ctrl-C; kDeadlineExceeded after --timeout.
absl::StatusOr<std::vector<v1::Run>> Follow(Client& client, const FollowRequest& request,
                                            const Arguments& arguments, Io& io);

// The exit code for runs that have ended: kRunFailed when one failed or was cancelled.
ExitCode OutcomeOf(const std::vector<v1::Run>& runs, Io& io);

}  // namespace ddl::cli
