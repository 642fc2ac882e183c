#include "common/spec_rules.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/check.h"
#include "common/digest.h"
#include "common/spec_keys.h"
#include "common/spec_model.h"
#include "common/status.h"
#include "common/synthetic_spec.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace ddl {
namespace {

// A computed micro batch has at most this many tokens, or one sequence.
constexpr uint64_t kMicroBatchTokens = 16384;

const v1::ExperimentSpec& Defaults() {
  static const v1::ExperimentSpec& defaults = *[] {
    auto* filled = new v1::ExperimentSpec;  // Never destroyed: it is constant.
    FillDefaults(filled);
    return filled;
  }();
  return defaults;
}

// A resolved spec under check. Rules that speak of a key already found bad are not checked: what
// they would say follows from the first error.
class Rules {
 public:
  Rules(v1::ExperimentSpec* spec, std::vector<SpecViolation>* violations)
      : spec_(*spec), violations_(*violations) {}

  void Run() {
    CheckKeys(spec_, "",
              [this](const std::string& path, const std::string& rule) { Report({path}, rule); });
    ResolveDataSource(&spec_, [this](bool holds, const std::vector<std::string>& paths,
                                     const std::string& rule) { Require(holds, paths, rule); });
    CheckModel();
    CheckIgnoredKeys();
    CheckTokens();
    CheckManifest();
  }

 private:
  void Report(std::vector<std::string> paths, const std::string& rule) {
    bad_.insert(paths.begin(), paths.end());
    violations_.push_back({std::move(paths), rule});
  }

  bool Good(const std::vector<std::string>& paths) const {
    return std::none_of(paths.begin(), paths.end(),
                        [this](const std::string& path) { return bad_.count(path) > 0; });
  }

  // Reports `rule` unless `holds`, if all of `paths` are good so far.
  void Require(bool holds, const std::vector<std::string>& paths, const std::string& rule) {
    if (!holds && Good(paths)) Report(paths, rule);
  }

  void CheckModel();
  void ComputeWidths();
  void CheckHeads();
  void CheckCompressor();
  void CheckIgnoredKeys();
  void CheckIgnoredSynthetic();
  void CheckIgnoredResidual(const std::vector<absl::string_view>& keys);
  void CheckIgnored(bool ignored, const std::string& path, const std::string& cause_path,
                    const std::string& cause);
  void CheckTokens();
  bool HasFinalDecay() const;
  void CheckSchedule();
  void ComputeMicroBatch();
  void CheckManifest();

  v1::ExperimentSpec& spec_;
  std::vector<SpecViolation>& violations_;
  std::set<std::string> bad_;
};

void Rules::ComputeWidths() {
  v1::ModelSpec& model = *spec_.mutable_model();
  ComputeModelKeys(&model);
  if (model.has_head_dim() || !Good({"model.d_model", "model.n_heads"})) return;
  if (model.d_model() % model.n_heads() != 0) {
    Report(
        {"model.d_model", "model.n_heads"},
        absl::StrCat("d_model must be divisible by n_heads unless head_dim is given, got d_model ",
                     model.d_model(), " and n_heads ", model.n_heads()));
    return;
  }
  model.set_head_dim(model.d_model() / model.n_heads());
  const uint32_t head_dim = model.head_dim();
  Require(head_dim >= 2 && head_dim <= 1024, {"model.d_model", "model.n_heads"},
          absl::StrCat("d_model / n_heads must be from 2 to 1024, got ", head_dim));
}

void Rules::CheckModel() {
  const bool given = spec_.model().has_head_dim();
  ComputeWidths();
  const v1::ModelSpec& model = spec_.model();
  const std::vector<std::string> widths =
      given ? std::vector<std::string>{"model.head_dim"}
            : std::vector<std::string>{"model.d_model", "model.n_heads"};
  Require(model.head_dim() % 2 == 0, widths,
          absl::StrCat("head_dim must be even, got ", model.head_dim()));
  std::vector<std::string> rotation = {"model.rope_ratio"};
  rotation.insert(rotation.end(), widths.begin(), widths.end());
  const double rotated = model.rope_ratio() * model.head_dim();
  Require(std::abs(rotated / 2 - std::round(rotated / 2)) < 1e-9, rotation,
          absl::StrCat("rope_ratio * head_dim must be an even number, got ", model.rope_ratio(),
                       " * ", model.head_dim(), " = ", rotated));
  CheckHeads();
  CheckCompressor();
}

void Rules::CheckHeads() {
  const v1::ModelSpec& model = spec_.model();
  Require(model.n_kv_heads() != 0 && model.n_heads() % model.n_kv_heads() == 0,
          {"model.n_kv_heads", "model.n_heads"},
          absl::StrCat("n_kv_heads must divide n_heads, got ", model.n_kv_heads(), " for ",
                       model.n_heads()));
  // Its q, k, v and output projections are rows of one matrix.
  const uint64_t width = uint64_t{model.n_heads()} * model.head_dim();
  Require(model.arch() != "seed" || width == model.d_model(),
          {"model.head_dim", "model.n_heads", "model.d_model", "model.arch"},
          absl::StrCat("n_heads * head_dim must be d_model with arch seed, got ", model.n_heads(),
                       " * ", model.head_dim(), " for ", model.d_model()));
}

void Rules::CheckCompressor() {
  const v1::ResidualSpec& residual = spec_.model().residual();
  const std::string taps = "model.residual.compress_kernel";
  Require(!HasChannels(residual) || residual.compress() != "channel" ||
              residual.compress_kernel() <= residual.value_channels(),
          {taps, "model.residual.value_channels"},
          absl::StrCat("compress_kernel must be at most value_channels with compress channel, got ",
                       residual.compress_kernel(), " for ", residual.value_channels()));
}

// A key that nothing reads must keep its default: an error, rather than a silent no-op.
void Rules::CheckIgnored(bool ignored, const std::string& path, const std::string& cause_path,
                         const std::string& cause) {
  if (!ignored || !Good({path, cause_path})) return;
  const google::protobuf::Message* value = &spec_;
  // With the computed keys as this model has them when they are left out.
  v1::ExperimentSpec defaults = Defaults();
  defaults.mutable_model()->set_arch(spec_.model().arch());
  defaults.mutable_model()->mutable_residual()->set_kind(spec_.model().residual().kind());
  ComputeModelKeys(defaults.mutable_model());
  const google::protobuf::Message* fallback = &defaults;
  const std::vector<std::string> parts = absl::StrSplit(path, '.');
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    const auto* field = value->GetDescriptor()->FindFieldByName(parts[i]);
    value = &value->GetReflection()->GetMessage(*value, field);
    fallback = &fallback->GetReflection()->GetMessage(*fallback, field);
  }
  const auto* field = value->GetDescriptor()->FindFieldByName(parts.back());
  const std::string got = ScalarText(*value, *field);
  const std::string expected = ScalarText(*fallback, *field);
  if (got == expected) return;
  bad_.insert(path);  // Not the cause: each ignored key is worth its line.
  violations_.push_back({{path, cause_path},
                         absl::StrCat(parts.back(), " has no effect with ", cause,
                                      ": leave it out (default ", expected, "), got ", got)});
}

void Rules::CheckIgnoredResidual(const std::vector<absl::string_view>& keys) {
  for (const absl::string_view key : keys) {
    CheckIgnored(true, absl::StrCat("model.residual.", key), "model.residual.kind",
                 absl::StrCat("kind ", spec_.model().residual().kind()));
  }
}

void Rules::CheckIgnoredKeys() {
  const v1::ResidualSpec& residual = spec_.model().residual();
  const std::string at = "model.residual.";
  const bool hyper = residual.kind() == "hyper_connections";
  const bool gated = !hyper && residual.kind() != "additive";
  if (!gated || IsSeedModule(residual)) {
    CheckIgnoredResidual(
        {"value_channels", "compress", "compress_kernel", "embed_conv", "embed_conv_kernel"});
  }
  if (!gated) {
    CheckIgnoredResidual(
        {"beta_init", "beta_hidden", "k_eps", "v_scale", "v_activation", "v_input"});
  }
  if (!hyper) CheckIgnoredResidual({"streams", "dynamic"});
  if (gated) {
    const bool scalar = !IsSeedModule(residual) && residual.value_channels() == 1;
    for (const char* key : {"compress", "compress_kernel", "embed_conv", "embed_conv_kernel"}) {
      CheckIgnored(scalar, at + key, at + "value_channels", "value_channels 1");
    }
    CheckIgnored(HasChannels(residual) && !residual.embed_conv(), at + "embed_conv_kernel",
                 at + "embed_conv", "embed_conv false");
    CheckIgnored(residual.v_activation() == "linear", at + "v_scale", at + "v_activation",
                 "v_activation linear");
  }
  CheckIgnoredSynthetic();
  CheckIgnored(!spec_.model().qk_norm(), "model.qk_norm_position", "model.qk_norm",
               "qk_norm false");
  CheckIgnored(spec_.model().rope_ratio() == 0, "model.rope_pairs", "model.rope_ratio",
               "rope_ratio 0");
  CheckIgnored(spec_.model().rope_ratio() == 0, "model.rope_base", "model.rope_ratio",
               "rope_ratio 0");
  CheckIgnored(spec_.optim().schedule().type() == "constant", "optim.schedule.min_ratio",
               "optim.schedule.type", "type constant");
  CheckIgnored(!HasFinalDecay(), "optim.schedule.decay_tokens", "optim.schedule.type",
               absl::StrCat("type ", spec_.optim().schedule().type()));
  for (const char* key : {"lr", "momentum", "nesterov", "polar_steps"}) {
    CheckIgnored(spec_.optim().type() == "adamw", absl::StrCat("optim.muon.", key), "optim.type",
                 "type adamw");
  }
}

bool Rules::HasFinalDecay() const {
  return spec_.optim().schedule().type() == "warmup_stable_decay";
}

void Rules::CheckSchedule() {
  const v1::ScheduleSpec& schedule = spec_.optim().schedule();
  const uint64_t tokens = spec_.train().tokens();
  const std::string warmup = "optim.schedule.warmup_tokens";
  const std::string decay = "optim.schedule.decay_tokens";
  Require(schedule.warmup_tokens() <= tokens, {warmup, "train.tokens"},
          absl::StrCat("warmup_tokens must be at most train.tokens, got ", schedule.warmup_tokens(),
                       " of ", tokens));
  if (!HasFinalDecay()) return;
  Require(schedule.decay_tokens() > 0, {decay, "optim.schedule.type"},
          "decay_tokens must be at least 1 with type warmup_stable_decay, got 0");
  Require(schedule.decay_tokens() <= tokens - schedule.warmup_tokens(),
          {decay, warmup, "train.tokens"},
          absl::StrCat("warmup_tokens and decay_tokens together must be at most train.tokens, got ",
                       schedule.warmup_tokens(), " + ", schedule.decay_tokens(), " of ", tokens));
}

void Rules::CheckIgnoredSynthetic() {
  const std::string at = "data.synthetic.";
  const std::string& task = spec_.data().synthetic().task();
  const bool keys = task == "recall" || task == "overwrite";
  for (const char* key : {"pairs", "symbols"}) {
    CheckIgnored(!keys, at + key, at + "task", "task " + task);
  }
  CheckIgnored(task != "overwrite", at + "writes", at + "task", "task " + task);
}

void Rules::ComputeMicroBatch() {
  v1::TrainSpec& train = *spec_.mutable_train();
  const uint64_t length = spec_.model().max_seq_len();
  const uint64_t sequences = train.global_batch_tokens() / (length * spec_.parallel().ranks());
  const uint64_t limit = std::min<uint64_t>({sequences, kMicroBatchTokens / length, 65536});
  uint64_t micro = std::max<uint64_t>(limit, 1);
  while (sequences % micro != 0) --micro;
  train.set_micro_batch_sequences(static_cast<uint32_t>(micro));
}

void Rules::CheckTokens() {
  v1::TrainSpec& train = *spec_.mutable_train();
  const uint64_t length = spec_.model().max_seq_len();
  const uint64_t ranks = spec_.parallel().ranks();
  const uint64_t batch = train.global_batch_tokens();
  const std::vector<std::string> batch_paths = {"train.global_batch_tokens", "model.max_seq_len",
                                                "parallel.ranks"};
  if (Good(batch_paths)) {
    Require(batch % (length * ranks) == 0, batch_paths,
            absl::StrCat("global_batch_tokens must be a multiple of max_seq_len * ranks, got ",
                         batch, " for ", length, " * ", ranks, " = ", length * ranks));
  }
  if (Good(batch_paths)) {
    if (!train.has_micro_batch_sequences()) ComputeMicroBatch();
    const uint64_t sequences = batch / (length * ranks);
    Require(train.micro_batch_sequences() != 0 && sequences % train.micro_batch_sequences() == 0,
            {"train.micro_batch_sequences", "train.global_batch_tokens", "model.max_seq_len",
             "parallel.ranks"},
            absl::StrCat("micro_batch_sequences must divide the ", sequences,
                         " sequences of a step on each rank, got ", train.micro_batch_sequences()));
  }
  if (Good({"train.tokens", "train.global_batch_tokens"})) {
    const uint64_t tokens = train.tokens();
    Require(tokens >= batch, {"train.tokens", "train.global_batch_tokens"},
            absl::StrCat("tokens must be at least one step of global_batch_tokens, got ", tokens,
                         " for steps of ", batch));
    const uint64_t whole = (tokens + batch - 1) / batch * batch;
    train.set_tokens(whole);
    CheckKeys(train, "train", [&](const std::string& path, const std::string& rule) {
      if (path == "train.tokens") Require(false, {path}, "rounded up to whole steps, " + rule);
    });
  }
  CheckSchedule();
  Require(spec_.eval().tokens() >= length, {"eval.tokens", "model.max_seq_len"},
          absl::StrCat("eval.tokens must be at least one sequence of max_seq_len, got ",
                       spec_.eval().tokens(), " for sequences of ", length));
}

void Rules::CheckManifest() {
  v1::DataSpec& data = *spec_.mutable_data();
  if (!data.has_manifest_sha256()) data.set_manifest_sha256("");  // Not pinned.
  const std::string& digest = data.manifest_sha256();
  const bool hex = std::all_of(digest.begin(), digest.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
  });
  Require(digest.empty() || (hex && digest.size() == 64), {"data.manifest_sha256"},
          "must be 64 lower-case hex digits, or empty for a folder that is not pinned");
}

}  // namespace

v1::ExperimentSpec ResolveSpec(const v1::ExperimentSpec& partial,
                               std::vector<SpecViolation>* violations) {
  v1::ExperimentSpec resolved = Defaults();
  resolved.MergeFrom(partial);
  Rules(&resolved, violations).Run();
  return resolved;
}

absl::StatusOr<v1::ExperimentSpec> ResolveSpec(const v1::ExperimentSpec& partial) {
  std::vector<SpecViolation> violations;
  v1::ExperimentSpec resolved = ResolveSpec(partial, &violations);
  DDL_RETURN_IF_ERROR(StatusOf(violations));
  return resolved;
}

absl::Status StatusOf(const std::vector<SpecViolation>& violations) {
  if (violations.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrJoin(violations, "\n", [](std::string* out, const SpecViolation& violation) {
        absl::StrAppend(out, violation.paths.front(), ": ", violation.rule);
      }));
}

bool IsComputedKey(const std::string& path) {
  const auto field = FindPath(*v1::ExperimentSpec::descriptor(), path);
  return field.ok() && KeyOf(**field).computed();
}

int64_t StepCount(const v1::ExperimentSpec& resolved) {
  const uint64_t batch = resolved.train().global_batch_tokens();
  DDL_CHECK(batch > 0);
  return static_cast<int64_t>((resolved.train().tokens() + batch - 1) / batch);
}

std::string ResidualLabel(const v1::ResidualSpec& residual) {
  if (residual.kind() == "hyper_connections") {
    return absl::StrCat(residual.kind(), "/", residual.streams(),
                        residual.dynamic() ? "" : "/static");
  }
  if (residual.kind() == "additive" || IsSeedModule(residual)) return residual.kind();
  return absl::StrCat(residual.kind(), "/", residual.value_channels(),
                      HasChannels(residual) && residual.compress() == "token" ? "/token" : "");
}

std::string ArmKey(const v1::ExperimentSpec& resolved) {
  v1::ExperimentSpec arm = resolved;
  arm.clear_seed();
  arm.clear_name();
  arm.clear_title();
  arm.clear_notes();
  arm.clear_tags();
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    DDL_CHECK(arm.SerializeToCodedStream(&coded));
  }
  return Sha256Hex(bytes);
}

}  // namespace ddl
