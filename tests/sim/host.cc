#include "tests/sim/host.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ddl::sim {

std::string Host::BootId() { return absl::StrCat(name_, "-boot-", boot_); }

RankProcess* Host::FindProcess(const agent::ProcessIdentity& identity) {
  for (auto& [key, process] : folders_) {
    if (process->identity == identity) return process.get();
  }
  return nullptr;
}

std::optional<uint64_t> Host::StartTicks(int32_t pid) {
  for (auto& [key, process] : folders_) {
    if (process->alive && process->identity.pid == pid) return process->identity.start_ticks;
  }
  return std::nullopt;
}

absl::StatusOr<agent::ProcessIdentity> Host::StartRank(const v1::RankLaunch& launch) {
  const agent::RankKey key{{launch.run(), launch.epoch()}, launch.rank()};
  if (folders_.count(key) > 0) {
    return absl::AlreadyExistsError(absl::StrCat(agent::ToString(key), " was started before"));
  }
  if (launch_fails && launch_fails()) {
    tally_.Count(Fault::kLaunchFailed);
    return absl::ResourceExhaustedError("cannot fork");
  }
  for (RankProcess* other : Living()) {
    if (other->launch.device() != launch.device()) continue;
    tally_.Break(absl::StrCat("slot ", launch.device(), " of ", name_, " has two processes: ",
                              agent::ToString(other->key), " and ", agent::ToString(key)));
  }
  auto process = std::make_shared<RankProcess>();
  process->key = key;
  process->launch = launch;
  process->identity.pid = ++last_pid_;
  process->identity.start_ticks = static_cast<uint64_t>(last_pid_) * 7;
  process->identity.boot_id = BootId();
  folders_[key] = process;
  tally_.Trace("launch ", name_, " ", agent::ToString(key), " on ", launch.device());
  Gang::Join(gang_of_(key.attempt), process);
  return process->identity;
}

void Host::Signal(const agent::ProcessIdentity& identity, agent::StopSignal signal) {
  RankProcess* process = FindProcess(identity);
  if (process == nullptr || !process->alive) return;
  if (signal == agent::StopSignal::kKill) {
    Gang::Kill(process, 9);
  } else {
    process->draining = true;
  }
}

std::optional<agent::ProcessEnd> Host::Ended(const agent::ProcessIdentity& identity) {
  RankProcess* process = FindProcess(identity);
  if (process == nullptr) return agent::ProcessEnd{};
  if (process->alive) return std::nullopt;
  return process->end;
}

absl::StatusOr<uint32_t> Host::FreePort(const std::string& /*address*/) { return ++last_port_; }

absl::StatusOr<std::vector<agent::FoundRank>> Host::FindRanks() {
  std::vector<agent::FoundRank> found;
  for (const auto& [key, process] : folders_) {
    found.push_back({key, process->launch, process->identity});
  }
  return found;
}

void Host::Forget(const agent::AttemptKey& attempt) {
  for (auto it = folders_.begin(); it != folders_.end();) {
    if (it->first.attempt == attempt && it->second->alive) {
      tally_.Break(absl::StrCat(agent::ToString(it->first), " was forgotten while it ran"));
    }
    it = it->first.attempt == attempt ? folders_.erase(it) : std::next(it);
  }
}

absl::Status Host::DeleteCheckpoint(const v1::CheckpointDeletion& deletion) {
  if (on_delete) on_delete(deletion.folder());
  storage_.folders.erase(deletion.folder());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::RankEvent>> Host::Read(const agent::RankKey& rank,
                                                      uint64_t after_seq,
                                                      const agent::ReadLimits& limits) {
  std::vector<v1::RankEvent> events;
  const auto found = folders_.find(rank);
  if (found == folders_.end()) return events;
  const std::vector<v1::RankEvent>& spool = found->second->spool;
  for (size_t i = after_seq; i < spool.size(); ++i) {
    if (events.size() == static_cast<size_t>(limits.events)) break;
    events.push_back(spool[i]);
  }
  return events;
}

void Host::Reboot() {
  ++boot_;
  for (auto& [key, process] : folders_) {
    if (process->alive && process->synced < process->spool.size()) {
      tally_.Count(Fault::kSpoolTailLost);
      process->spool.resize(process->synced);
    }
    Gang::Kill(process.get(), 9);
  }
}

std::vector<RankProcess*> Host::Living() {
  std::vector<RankProcess*> living;
  for (auto& [key, process] : folders_) {
    if (process->alive) living.push_back(process.get());
  }
  std::sort(living.begin(), living.end(), [](const RankProcess* a, const RankProcess* b) {
    return a->identity.pid < b->identity.pid;
  });
  return living;
}

}  // namespace ddl::sim
