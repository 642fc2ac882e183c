#include "common/spec_rules.h"

#include <google/protobuf/util/message_differencer.h>

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "common/spec_keys.h"

namespace ddl {
namespace {

using google::protobuf::util::MessageDifferencer;

v1::ExperimentSpec Partial() {
  v1::ExperimentSpec spec;
  spec.mutable_data()->set_path("text");
  return spec;
}

std::string Refusal(const v1::ExperimentSpec& spec) {
  const auto resolved = ResolveSpec(spec);
  CHECK((resolved.ok() || absl::IsInvalidArgument(resolved.status())));
  return std::string(resolved.status().message());
}

int UnsetKeys(const google::protobuf::Message& message) {
  int unset = 0;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const auto& field = *message.GetDescriptor()->field(i);
    if (field.is_repeated()) continue;
    if (!message.GetReflection()->HasField(message, &field)) {
      ++unset;
    } else if (IsMessage(field)) {
      unset += UnsetKeys(message.GetReflection()->GetMessage(message, &field));
    }
  }
  return unset;
}

TEST_CASE("a resolved spec has every key set") {
  CHECK(UnsetKeys(Partial()) > 0);
  CHECK(UnsetKeys(ResolveSpec(Partial()).value()) == 0);
}

TEST_CASE("keys without a default are computed from the others") {
  v1::ExperimentSpec spec = Partial();
  spec.mutable_model()->set_d_model(1024);
  spec.mutable_model()->set_n_heads(8);
  spec.mutable_model()->set_max_seq_len(128);
  spec.mutable_train()->set_global_batch_tokens(2048);
  const v1::ExperimentSpec resolved = ResolveSpec(spec).value();
  CHECK(resolved.model().head_dim() == 128);
  CHECK(resolved.model().d_ff() == 2730);  // floor(8 * 1024 / 3), the paper's medium model.
  CHECK(resolved.model().vocab_size() == 257);
  CHECK(resolved.train().micro_batch_sequences() == 16);
  CHECK(resolved.data().manifest_sha256().empty());
  CHECK(IsComputedKey("model.d_ff"));
  CHECK(!IsComputedKey("model.d_model"));
  CHECK(!IsComputedKey("nothing"));
}

TEST_CASE("a computed micro batch divides the step of a rank and holds at most 16,384 tokens") {
  for (const uint32_t length : {128U, 1000U, 1024U, 16384U, 32768U}) {
    for (const uint32_t ranks : {1U, 2U, 3U, 8U}) {
      for (const uint64_t sequences : {1U, 2U, 7U, 12U, 97U, 480U}) {
        v1::ExperimentSpec spec = Partial();
        spec.mutable_model()->set_max_seq_len(length);
        spec.mutable_parallel()->set_ranks(ranks);
        spec.mutable_eval()->set_tokens(1 << 20);
        const uint64_t batch = sequences * length * ranks;
        spec.mutable_train()->set_global_batch_tokens(batch);
        spec.mutable_train()->set_tokens(1'000'000'000);
        const uint64_t micro = ResolveSpec(spec).value().train().micro_batch_sequences();
        CHECK(sequences % micro == 0);
        CHECK((micro == 1 || micro * length <= 16384));
      }
    }
  }
}

TEST_CASE("a budget is rounded up to whole steps") {
  v1::ExperimentSpec spec = Partial();
  spec.mutable_train()->set_tokens(20'000'000);
  const v1::ExperimentSpec resolved = ResolveSpec(spec).value();
  CHECK(resolved.train().tokens() == 153 * uint64_t{131072});
  CHECK(StepCount(resolved) == 153);
  spec.mutable_train()->set_tokens(131072);
  CHECK(StepCount(ResolveSpec(spec).value()) == 1);
  spec.mutable_train()->set_tokens(131071);
  CHECK(absl::StrContains(Refusal(spec), "train.tokens: tokens must be at least one step"));
  spec.mutable_train()->set_tokens(1'000'000'000'000'000);
  CHECK(
      absl::StrContains(Refusal(spec), "train.tokens: rounded up to whole steps, must be at most"));
}

TEST_CASE("d_model is divided by the heads unless their width is given") {
  v1::ExperimentSpec spec = Partial();
  spec.mutable_model()->set_d_model(100);
  CHECK(Refusal(spec) ==
        "model.d_model: d_model must be divisible by n_heads unless head_dim is given, got "
        "d_model 100 and n_heads 6");
  spec.mutable_model()->set_head_dim(16);
  CHECK(ResolveSpec(spec).ok());
}

TEST_CASE("the width of a head and its rotated part are even") {
  v1::ExperimentSpec spec = Partial();
  spec.mutable_model()->set_head_dim(15);
  CHECK(absl::StrContains(Refusal(spec), "model.head_dim: head_dim must be even, got 15"));
  spec.mutable_model()->set_head_dim(16);
  spec.mutable_model()->set_rope_ratio(0.5);
  CHECK(ResolveSpec(spec).ok());
  spec.mutable_model()->set_rope_ratio(0.3);
  CHECK(
      absl::StrContains(Refusal(spec), "model.rope_ratio: rope_ratio * head_dim must be an even"));
  spec.mutable_model()->set_rope_ratio(0.1875);  // 3 of 16.
  CHECK(absl::StrContains(Refusal(spec), "0.1875 * 16 = 3"));
}

TEST_CASE("a step is a whole number of sequences on every rank, and of micro batches") {
  v1::ExperimentSpec spec = Partial();
  spec.mutable_train()->set_global_batch_tokens(1024 * 6);
  spec.mutable_parallel()->set_ranks(4);
  CHECK(absl::StrContains(Refusal(spec),
                          "global_batch_tokens must be a multiple of max_seq_len * "
                          "ranks, got 6144 for 1024 * 4 = 4096"));
  spec.mutable_parallel()->set_ranks(2);
  spec.mutable_train()->set_micro_batch_sequences(2);
  CHECK(Refusal(spec) ==
        "train.micro_batch_sequences: micro_batch_sequences must divide the 3 sequences of a step "
        "on each rank, got 2");
  spec.mutable_train()->set_micro_batch_sequences(3);
  CHECK(ResolveSpec(spec).ok());
}

TEST_CASE("warm-up ends within the budget and validation has a sequence") {
  v1::ExperimentSpec spec = Partial();
  spec.mutable_optim()->mutable_schedule()->set_warmup_tokens(1'000'000'000);
  CHECK(absl::StrContains(Refusal(spec), "optim.schedule.warmup_tokens: "));
  spec = Partial();
  spec.mutable_eval()->set_tokens(1023);
  CHECK(absl::StrContains(Refusal(spec), "eval.tokens: eval.tokens must be at least one sequence"));
}

TEST_CASE("a final decay has a length, and fits behind the warm-up") {
  v1::ExperimentSpec spec = Partial();
  spec.mutable_train()->set_tokens(100 * 131072);
  v1::ScheduleSpec& schedule = *spec.mutable_optim()->mutable_schedule();
  schedule.set_type("warmup_stable_decay");
  CHECK(Refusal(spec) ==
        "optim.schedule.decay_tokens: decay_tokens must be at least 1 with type "
        "warmup_stable_decay, got 0");
  schedule.set_warmup_tokens(50 * 131072);
  schedule.set_decay_tokens(50 * 131072);
  CHECK(ResolveSpec(spec).ok());
  schedule.set_decay_tokens(50 * 131072 + 1);
  CHECK(Refusal(spec) ==
        "optim.schedule.decay_tokens: warmup_tokens and decay_tokens together must be at most "
        "train.tokens, got 6553600 + 6553601 of 13107200");
  schedule.set_type("linear");
  CHECK(absl::StrContains(Refusal(spec), "decay_tokens has no effect with type linear"));
}

TEST_CASE("a key that nothing reads keeps its default") {
  v1::ExperimentSpec spec = Partial();
  v1::ResidualSpec& residual = *spec.mutable_model()->mutable_residual();
  residual.set_kind("additive");
  residual.set_value_channels(1);
  CHECK(ResolveSpec(spec).ok());
  residual.set_value_channels(4);
  residual.set_beta_init(0.5);
  CHECK(Refusal(spec) ==
        "model.residual.value_channels: value_channels has no effect with kind additive: leave it "
        "out (default 1), got 4\n"
        "model.residual.beta_init: beta_init has no effect with kind additive: leave it out "
        "(default 1), got 0.5");
  residual.Clear();
  residual.set_embed_conv(false);
  CHECK(absl::StrContains(Refusal(spec), "embed_conv has no effect with value_channels 1"));
  residual.set_value_channels(4);
  CHECK(ResolveSpec(spec).ok());
  residual.set_embed_conv_kernel(3);
  CHECK(absl::StrContains(Refusal(spec), "embed_conv_kernel has no effect with embed_conv false"));
  residual.Clear();
  residual.set_v_activation("linear");
  residual.set_v_scale(2);
  CHECK(absl::StrContains(Refusal(spec), "v_scale has no effect with v_activation linear"));
  spec = Partial();
  spec.mutable_optim()->mutable_schedule()->set_type("constant");
  spec.mutable_optim()->mutable_schedule()->set_min_ratio(0.5);
  CHECK(absl::StrContains(Refusal(spec), "min_ratio has no effect with type constant"));
  spec = Partial();
  spec.mutable_optim()->mutable_muon()->set_momentum(0.9);
  CHECK(absl::StrContains(Refusal(spec), "momentum has no effect with type adamw"));
  spec.mutable_optim()->set_type("muon");
  CHECK(ResolveSpec(spec).ok());
  spec = Partial();
  spec.mutable_model()->set_rope_ratio(0);
  spec.mutable_model()->set_rope_base(500);
  CHECK(absl::StrContains(Refusal(spec), "rope_base has no effect with rope_ratio 0"));
}

TEST_CASE("sizes of heads and compressors that make no model are refused by name and value") {
  v1::ExperimentSpec spec = Partial();
  spec.mutable_model()->set_n_kv_heads(4);
  CHECK(Refusal(spec) == "model.n_kv_heads: n_kv_heads must divide n_heads, got 4 for 6");
  spec.mutable_model()->set_n_kv_heads(3);
  CHECK(ResolveSpec(spec).ok());
  spec = Partial();
  spec.mutable_model()->set_arch("seed");
  spec.mutable_model()->set_head_dim(64);
  CHECK(Refusal(spec) ==
        "model.head_dim: n_heads * head_dim must be d_model with arch seed, got 6 * 64 for 768");
  spec = Partial();
  v1::ResidualSpec& residual = *spec.mutable_model()->mutable_residual();
  residual.set_value_channels(4);
  residual.set_compress_kernel(5);
  CHECK(Refusal(spec) ==
        "model.residual.compress_kernel: compress_kernel must be at most value_channels with "
        "compress channel, got 5 for 4");
  residual.set_compress("token");
  CHECK(ResolveSpec(spec).ok());
  residual.Clear();
  residual.set_value_channels(0);
  CHECK(absl::StrContains(Refusal(spec), "value_channels: must be at least 1, got 0"));
}

TEST_CASE("a key of another kind of residual has no effect and is refused") {
  v1::ExperimentSpec spec = Partial();
  v1::ResidualSpec& residual = *spec.mutable_model()->mutable_residual();
  residual.set_streams(2);
  CHECK(absl::StrContains(Refusal(spec), "streams has no effect with kind ddl"));
  residual.set_kind("hyper_connections");
  CHECK(ResolveSpec(spec).ok());
  residual.set_k_eps(1e-3);
  CHECK(Refusal(spec) ==
        "model.residual.k_eps: k_eps has no effect with kind hyper_connections: leave it out "
        "(default 1e-05), got 0.001");
  residual.Clear();
  residual.set_kind("seed_write_only");
  residual.set_value_channels(4);
  CHECK(absl::StrContains(Refusal(spec), "value_channels has no effect with kind seed_write_only"));
  residual.Clear();
  residual.set_compress_kernel(2);
  CHECK(absl::StrContains(Refusal(spec), "compress_kernel has no effect with value_channels 1"));
}

TEST_CASE("a manifest is pinned by 64 hex digits") {
  v1::ExperimentSpec spec = Partial();
  spec.mutable_data()->set_manifest_sha256(std::string(64, 'a'));
  CHECK(ResolveSpec(spec).ok());
  for (const std::string& bad : {std::string(63, 'a'), std::string(64, 'A'), std::string("x")}) {
    spec.mutable_data()->set_manifest_sha256(bad);
    CHECK(absl::StrContains(Refusal(spec), "data.manifest_sha256: must be 64"));
  }
}

TEST_CASE("every violation is listed, and none that only follows from another") {
  v1::ExperimentSpec spec = Partial();
  spec.mutable_model()->set_d_model(0);
  spec.mutable_model()->set_n_heads(0);
  spec.mutable_model()->set_max_seq_len(0);
  spec.mutable_parallel()->set_ranks(0);
  spec.mutable_train()->set_global_batch_tokens(0);
  spec.mutable_train()->set_micro_batch_sequences(0);
  std::vector<SpecViolation> violations;
  ResolveSpec(spec, &violations);
  for (const SpecViolation& violation : violations) {
    INFO(violation.paths.front() << ": " << violation.rule);
    CHECK(absl::StrContains(violation.rule, "must be at least"));
  }
  CHECK(violations.size() == 6);
}

// Sets keys of a spec at random: often to nonsense, sometimes to what goes together.
v1::ExperimentSpec RandomSpec(std::mt19937_64* random) {
  const auto pick = [&](auto... values) {
    const std::vector<double> all = {static_cast<double>(values)...};
    return all[(*random)() % all.size()];
  };
  const auto coin = [&] { return (*random)() % 2 == 0; };
  v1::ExperimentSpec spec = Partial();
  if (coin()) spec.set_seed((*random)() >> 11);
  v1::ModelSpec& model = *spec.mutable_model();
  if (coin()) model.set_d_model(static_cast<uint32_t>(pick(8, 48, 64, 100, 768)));
  if (coin()) model.set_n_heads(static_cast<uint32_t>(pick(1, 2, 3, 4, 6)));
  if (coin()) model.set_head_dim(static_cast<uint32_t>(pick(2, 16, 33, 128)));
  if (coin()) model.set_max_seq_len(static_cast<uint32_t>(pick(64, 128, 256)));
  if (coin()) model.set_rope_ratio(pick(0, 0.25, 0.5, 0.3));
  if (coin()) model.set_arch("seed");
  if (coin()) model.set_n_kv_heads(static_cast<uint32_t>(pick(1, 2, 3)));
  v1::ResidualSpec& residual = *model.mutable_residual();
  if (coin()) residual.set_kind(coin() ? "additive" : coin() ? "write_only" : "seed_deepdeltares");
  if (coin()) residual.set_value_channels(static_cast<uint32_t>(pick(1, 2, 4, 8)));
  if (coin()) residual.set_embed_conv(coin());
  v1::TrainSpec& train = *spec.mutable_train();
  if (coin()) train.set_tokens(static_cast<uint64_t>(pick(1, 5000, 123457, 1e9)));
  if (coin()) train.set_global_batch_tokens(static_cast<uint64_t>(pick(128, 512, 1024, 3072)));
  if (coin()) train.set_micro_batch_sequences(static_cast<uint32_t>(pick(1, 2, 3)));
  if (coin()) spec.mutable_parallel()->set_ranks(static_cast<uint32_t>(pick(1, 2, 3)));
  return spec;
}

TEST_CASE("resolving a resolved spec changes nothing") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  int resolved_specs = 0;
  for (int i = 0; i < 3000; ++i) {
    const v1::ExperimentSpec spec = RandomSpec(&random);
    const auto once = ResolveSpec(spec);
    if (!once.ok()) continue;
    ++resolved_specs;
    const auto twice = ResolveSpec(*once);
    INFO(spec.ShortDebugString());
    REQUIRE(twice.ok());
    REQUIRE(MessageDifferencer::Equals(*once, *twice));
    REQUIRE(UnsetKeys(*once) == 0);
  }
  CHECK(resolved_specs > 100);
}

TEST_CASE("a residual's label has its channels unless it is additive") {
  v1::ResidualSpec residual;
  residual.set_kind("ddl");
  residual.set_value_channels(4);
  CHECK(ResidualLabel(residual) == "ddl/4");
  residual.set_kind("write_only");
  residual.set_value_channels(1);
  CHECK(ResidualLabel(residual) == "write_only/1");
  residual.set_kind("additive");
  CHECK(ResidualLabel(residual) == "additive");
  residual.set_kind("ddl");
  residual.set_value_channels(4);
  residual.set_compress("token");
  CHECK(ResidualLabel(residual) == "ddl/4/token");
  residual.set_kind("seed_deepdeltares");
  CHECK(ResidualLabel(residual) == "seed_deepdeltares");
  residual.set_kind("hyper_connections");
  residual.set_streams(2);
  CHECK(ResidualLabel(residual) == "hyper_connections/2/static");
  residual.set_dynamic(true);
  CHECK(ResidualLabel(residual) == "hyper_connections/2");
}

TEST_CASE("runs that differ in seed and words alone are one arm") {
  v1::ExperimentSpec a = Partial();
  a.set_seed(1);
  v1::ExperimentSpec b = Partial();
  b.set_seed(2);
  b.set_name("other");
  b.set_title("Title");
  b.set_notes("Notes");
  b.add_tags("tag");
  CHECK(ArmKey(ResolveSpec(a).value()) == ArmKey(ResolveSpec(b).value()));
  CHECK(ArmKey(ResolveSpec(a).value()).size() == 64);
  b.mutable_optim()->mutable_adamw()->set_lr(2e-3);
  CHECK(ArmKey(ResolveSpec(a).value()) != ArmKey(ResolveSpec(b).value()));
}

}  // namespace
}  // namespace ddl
