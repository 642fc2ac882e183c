#include "worker/train/spool_sink.h"

#include <google/protobuf/util/time_util.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/status.h"
#include "proto/ddl/v1/events.pb.h"

namespace ddl {
namespace {

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

// One overload for each event of RankEvent.
struct ProtoWriter {
  v1::RankEvent* out;

  void operator()(const RankStarted& event) const {
    v1::RankStarted& proto = *out->mutable_started();
    proto.set_pid(getpid());
    proto.set_host(HostName());
    proto.set_device(event.device);
    proto.set_engine(event.engine);
    proto.set_engine_reason(event.engine_reason);
    proto.set_recipe_version(event.recipe_version);
    proto.set_resumed_step(event.resumed_step);
    proto.set_resumed_from(event.resumed_from);
    proto.set_parameters(event.parameters);
    proto.set_flops_per_token(event.flops_per_token);
    proto.set_library_versions(event.library_versions);
    proto.set_resume_difference(event.resume_difference);
  }
  void operator()(const StepRecord& event) const {
    v1::StepRecord& proto = *out->mutable_step();
    proto.set_step(event.step);
    proto.set_tokens(event.tokens);
    proto.set_flops(event.flops);
    proto.set_active_seconds(event.active_seconds);
    for (const Sample& sample : event.samples) {
      v1::Sample& added = *proto.add_samples();
      added.set_name(sample.name);
      added.set_value(sample.value);
      added.set_layer(sample.labels.layer);
      added.set_sublayer(sample.labels.sublayer);
      added.set_bucket(sample.labels.bucket);
      added.set_phase(sample.labels.phase);
    }
  }
  void operator()(const CheckpointPrepared& event) const {
    v1::CheckpointPrepared& proto = *out->mutable_checkpoint_prepared();
    proto.set_step(event.step);
    proto.set_tokens(event.tokens);
    proto.set_folder(event.folder);
    proto.set_manifest_sha256(event.manifest_sha256);
    proto.set_bytes(event.bytes);
    proto.set_snapshot_seconds(event.snapshot_seconds);
    proto.set_write_seconds(event.write_seconds);
    proto.set_final(event.final);
  }
  void operator()(const CheckpointFailed& event) const {
    v1::CheckpointFailed& proto = *out->mutable_checkpoint_failed();
    proto.set_step(event.step);
    proto.set_phase(event.phase);
    proto.set_reason(event.reason);
    proto.set_message(event.message);
  }
  void operator()(const CheckpointRejected& event) const {
    v1::CheckpointRejected& proto = *out->mutable_checkpoint_rejected();
    proto.set_folder(event.folder);
    proto.set_step(event.step);
    proto.set_message(event.message);
  }
  void operator()(const RankExited& event) const {
    v1::RankExited& proto = *out->mutable_exited();
    proto.set_exit_code(event.exit_code);
    proto.set_class_(static_cast<v1::ExitClass>(event.exit_class));
    proto.set_message(event.message);
    proto.set_step(event.step);
  }
  void operator()(const RunNotice& event) const {
    v1::RunNotice& proto = *out->mutable_notice();
    proto.set_severity(event.severity);
    proto.set_message(event.message);
  }
};

bool MustBeDurable(const RankEvent& event) {
  return std::holds_alternative<CheckpointPrepared>(event) ||
         std::holds_alternative<RankExited>(event);
}

}  // namespace

SpoolSink::SpoolSink(SpoolWriter writer, Clock clock)
    : writer_(std::move(writer)), clock_(std::move(clock)) {}

absl::StatusOr<std::unique_ptr<SpoolSink>> SpoolSink::Open(const std::string& path, Clock clock) {
  if (FileExists(path)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " exists: a rank of an attempt runs once"));
  }
  DDL_ASSIGN_OR_RETURN(SpoolWriter writer, SpoolWriter::Open(path));
  return std::make_unique<SpoolSink>(std::move(writer), std::move(clock));
}

absl::Status SpoolSink::Write(const RankEvent& event) {
  v1::RankEvent proto;
  proto.set_seq(++last_seq_);
  *proto.mutable_time() =
      google::protobuf::util::TimeUtil::NanosecondsToTimestamp(absl::ToUnixNanos(clock_()));
  std::visit(ProtoWriter{&proto}, event);
  held_.push_back(proto.SerializeAsString());
  const bool durable = MustBeDurable(event);
  const absl::Status status = Drain(durable);
  if (status.ok()) return status;
  const bool can_wait = absl::IsResourceExhausted(status) && !durable;
  return can_wait && held_.size() <= kMaxHeldEvents ? absl::OkStatus() : status;
}

absl::Status SpoolSink::Drain(bool sync) {
  while (!held_.empty()) {
    DDL_RETURN_IF_ERROR(writer_.Append(held_.front(), sync && held_.size() == 1));
    held_.pop_front();
  }
  return absl::OkStatus();
}

}  // namespace ddl
