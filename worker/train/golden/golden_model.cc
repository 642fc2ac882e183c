#include "worker/train/golden/golden_model.h"

#include <array>
#include <cmath>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/architecture.h"
#include "common/names.h"
#include "common/status.h"
#include "worker/model/model_shapes.h"

namespace ddl {
namespace {

struct Variant {
  absl::string_view name;
  absl::string_view kind;
  absl::string_view write_only;  // The kind with `_wo` behind the name; empty for none.
  absl::string_view compress;
  bool embed_conv;
};
constexpr std::array<Variant, 10> kVariants = {{
    {"base", "additive", "additive", "none", false},
    {"vdim1", "ddl", "write_only", "none", false},
    {"cc", "ddl", "write_only", "channel", false},
    {"ccec", "ddl", "write_only", "channel", true},
    {"tc", "ddl", "write_only", "token", false},
    {"tcec", "ddl", "write_only", "token", true},
    {"seed_additive", "additive", "additive", "none", false},
    {"seed_deepdeltares", "seed_deepdeltares", "seed_write_only", "none", false},
    {"hc_static", "hyper_connections", "", "none", false},
    {"hc_dynamic", "hyper_connections", "", "none", false},
}};
constexpr double kSeedNormEps = std::numeric_limits<float>::epsilon();
constexpr double kDefaultWidthBase = 1024;
constexpr int64_t kMostTokens = int64_t{1} << 20;

absl::StatusOr<ResidualConfig> ResidualOf(const GoldenFile& file, bool* seed) {
  DDL_ASSIGN_OR_RETURN(const std::string name, file.Text("variant"));
  absl::string_view stem = name;
  const bool write_only = absl::ConsumeSuffix(&stem, "_wo");
  for (const Variant& variant : kVariants) {
    if (variant.name != stem || (write_only && variant.write_only.empty())) continue;
    *seed = absl::StartsWith(stem, "seed_") ||
            (variant.kind == "hyper_connections" && file.Has("d_model"));
    return ResidualConfig{.kind = std::string(write_only ? variant.write_only : variant.kind),
                          .compress = std::string(variant.compress),
                          .embed_conv = variant.embed_conv,
                          .dynamic = stem == "hc_dynamic"};
  }
  return absl::InvalidArgumentError(
      absl::StrCat("metadata variant ", Quoted(name),
                   " is not one of base, vdim1, cc, ccec, tc, "
                   "tcec, seed_additive, seed_deepdeltares, each with _wo behind it or not, "
                   "hc_static, hc_dynamic"));
}

// One of two words: whether it is the second.
absl::StatusOr<bool> Choice(const GoldenFile& file, absl::string_view key, absl::string_view first,
                            absl::string_view second) {
  DDL_ASSIGN_OR_RETURN(const std::string text, file.Text(key));
  if (text == first || text == second) return text == second;
  return absl::InvalidArgumentError(
      absl::StrCat("metadata ", key, " must be ", first, " or ", second, ", got ", Quoted(text)));
}

absl::Status Positive(absl::string_view key, double value) {
  if (value > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("metadata ", key, " must be above 0, got ", value));
}

absl::Status ReadCompressor(const GoldenFile& file, ResidualConfig* residual) {
  if (residual->compress == "none") return absl::OkStatus();
  DDL_ASSIGN_OR_RETURN(residual->value_channels, file.Count("ddl_value_channels"));
  DDL_ASSIGN_OR_RETURN(residual->compress_kernel, file.Count("ddl_state_shortconv_kernel_size"));
  if (residual->embed_conv) {
    DDL_ASSIGN_OR_RETURN(residual->embed_conv_kernel,
                         file.Count("input_embed_shortconv_kernel_size"));
  }
  if (residual->compress == "channel" && residual->compress_kernel > residual->value_channels) {
    return absl::InvalidArgumentError(
        absl::StrCat("metadata ddl_state_shortconv_kernel_size must be at most "
                     "ddl_value_channels for a channel compressor, got ",
                     residual->compress_kernel, " for ", residual->value_channels));
  }
  return absl::OkStatus();
}

absl::Status ReadPaperGate(const GoldenFile& file, ResidualConfig* residual) {
  DDL_ASSIGN_OR_RETURN(const bool linear, file.Flag("ddl_beta_single_linear"));
  if (!linear) {
    DDL_ASSIGN_OR_RETURN(residual->beta_hidden, file.Count("ddl_beta_hidden_size"));
  }
  DDL_ASSIGN_OR_RETURN(residual->k_eps, file.Real("ddl_k_eps"));
  DDL_RETURN_IF_ERROR(Positive("ddl_k_eps", residual->k_eps));
  DDL_ASSIGN_OR_RETURN(residual->v_sigmoid, file.Flag("ddl_v_sigmoid"));
  if (residual->v_sigmoid) {
    DDL_ASSIGN_OR_RETURN(residual->v_scale, file.Real("ddl_v_sigmoid_scale"));
  }
  if (file.Has("ddl_v_input")) {
    DDL_ASSIGN_OR_RETURN(residual->v_from_norm, Choice(file, "ddl_v_input", "x_in", "c"));
  }
  if (file.Has("ddl_v_constant")) {
    DDL_ASSIGN_OR_RETURN(const bool constant, file.Flag("ddl_v_constant"));
    if (constant) {
      return absl::InvalidArgumentError(
          "metadata ddl_v_constant must be False: a value that is no function of the state is no "
          "form of ddl.md");
    }
  }
  return ReadCompressor(file, residual);
}

// Keys that are left out mean the backbone's own form.
absl::Status ReadSwitches(const GoldenFile& file, ModelConfig* model) {
  if (file.Has("rope")) {
    DDL_ASSIGN_OR_RETURN(model->interleaved_pairs,
                         Choice(file, "rope", "half_split", "interleaved"));
  }
  if (file.Has("rope_base")) {
    DDL_ASSIGN_OR_RETURN(model->rope_base, file.Real("rope_base"));
    DDL_RETURN_IF_ERROR(Positive("rope_base", model->rope_base));
  }
  if (file.Has("qk_norm_position")) {
    DDL_ASSIGN_OR_RETURN(model->qk_norm_first,
                         Choice(file, "qk_norm_position", "after_rope", "before_rope"));
  }
  if (file.Has("mlp")) {
    DDL_ASSIGN_OR_RETURN(model->squared_relu, Choice(file, "mlp", "swiglu", "squared_relu"));
  }
  if (file.Has("norm_eps")) {
    DDL_ASSIGN_OR_RETURN(model->norm_eps, file.Real("norm_eps"));
    DDL_RETURN_IF_ERROR(Positive("norm_eps", model->norm_eps));
  }
  if (file.Has("embed_scale")) {
    DDL_ASSIGN_OR_RETURN(model->embed_scale, file.Real("embed_scale"));
  }
  if (file.Has("logit_scale")) {
    DDL_ASSIGN_OR_RETURN(model->logit_scale, file.Real("logit_scale"));
  }
  if (file.Has("rope_ratio")) {
    DDL_ASSIGN_OR_RETURN(model->rope_ratio, file.Real("rope_ratio"));
  }
  if (file.Has("use_qk_rmsnorm")) {
    DDL_ASSIGN_OR_RETURN(model->qk_norm, file.Flag("use_qk_rmsnorm"));
  }
  if (model->rope_ratio >= 0 && model->rope_ratio <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("metadata rope_ratio must be from 0 to 1, got ", model->rope_ratio));
}

absl::Status ReadPaper(const GoldenFile& file, ModelConfig* model) {
  DDL_ASSIGN_OR_RETURN(model->d_model, file.Count("hidden_size"));
  DDL_ASSIGN_OR_RETURN(model->n_layers, file.Count("num_hidden_layers"));
  DDL_ASSIGN_OR_RETURN(model->n_heads, file.Count("num_attention_heads"));
  model->n_kv_heads = model->n_heads;
  if (file.Has("num_key_value_heads")) {
    DDL_ASSIGN_OR_RETURN(model->n_kv_heads, file.Count("num_key_value_heads"));
  }
  DDL_ASSIGN_OR_RETURN(model->head_dim, file.Count("head_dim"));
  DDL_RETURN_IF_ERROR(file.Real("rope_ratio").status());
  DDL_RETURN_IF_ERROR(file.Flag("use_qk_rmsnorm").status());
  if (file.Has("mup")) {
    DDL_ASSIGN_OR_RETURN(const bool scaled, file.Flag("mup"));
    double base = kDefaultWidthBase;
    if (file.Has("hidden_size_base")) {
      DDL_ASSIGN_OR_RETURN(base, file.Real("hidden_size_base"));
    }
    if (scaled) model->logit_scale = base / static_cast<double>(model->d_model);
  }
  const std::string& kind = model->residual.kind;
  if (kind == "ddl" || kind == "write_only") return ReadPaperGate(file, &model->residual);
  return absl::OkStatus();
}

absl::Status ReadSeed(const GoldenFile& file, ModelConfig* model) {
  DDL_ASSIGN_OR_RETURN(model->d_model, file.Count("d_model"));
  DDL_ASSIGN_OR_RETURN(model->n_layers, file.Count("n_layers"));
  DDL_ASSIGN_OR_RETURN(model->n_heads, file.Count("n_heads"));
  DDL_ASSIGN_OR_RETURN(model->n_kv_heads, file.Count("n_kv_heads"));
  DDL_ASSIGN_OR_RETURN(model->d_ff, file.Count("d_ff"));
  if (model->d_model % model->n_heads != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("metadata d_model must be divisible by n_heads, "
                     "got ",
                     model->d_model, " for ", model->n_heads));
  }
  model->head_dim = model->d_model / model->n_heads;
  model->squared_relu = true;
  model->interleaved_pairs = true;
  model->qk_norm_first = true;
  model->norm_eps = kSeedNormEps;
  model->embed_scale = std::sqrt(static_cast<double>(model->d_model));
  ResidualConfig& residual = model->residual;
  if (residual.kind == "additive" || residual.kind == "hyper_connections") return absl::OkStatus();
  DDL_ASSIGN_OR_RETURN(residual.beta_hidden, file.Count("beta_dim"));
  DDL_ASSIGN_OR_RETURN(residual.k_eps, file.Real("k_eps"));
  DDL_RETURN_IF_ERROR(Positive("k_eps", residual.k_eps));
  DDL_ASSIGN_OR_RETURN(residual.v_scale, file.Real("sigmoid_scale"));
  return absl::OkStatus();
}

// The file's own tensors bound the model before any of it is made.
absl::Status CheckSizes(const GoldenFile& file, const ModelConfig& model) {
  const auto require = [](bool holds, const std::string& rule) {
    return holds ? absl::OkStatus() : absl::InvalidArgumentError(rule);
  };
  DDL_RETURN_IF_ERROR(require(
      model.n_heads % model.n_kv_heads == 0,
      absl::StrCat("the number of heads must be divisible by that of key and value heads, got ",
                   model.n_heads, " for ", model.n_kv_heads)));
  const auto tensors = static_cast<int64_t>(file.tensors.size());
  DDL_RETURN_IF_ERROR(require(model.n_layers <= tensors,
                              absl::StrCat("metadata asks for ", model.n_layers,
                                           " blocks of a file with ", tensors, " tensors")));
  const std::string embedding =
      model.seed_layout ? "param/token_embedding.weight" : "param/transformer.wte.weight";
  DDL_RETURN_IF_ERROR(file.Tensor(embedding, {model.vocab_size, model.d_model}).status());
  if (model.seed_layout) {
    const int64_t rows = 2 * model.d_model + 2 * model.n_kv_heads * model.head_dim;
    DDL_RETURN_IF_ERROR(
        file.Tensor("param/transformer_blocks.0.attention.qkvo_proj", {rows, model.d_model})
            .status());
    const std::string up = "param/transformer_blocks.0.feed_forward.up_proj.weight";
    return file.Tensor(up, {model.d_ff, model.d_model}).status();
  }
  return file
      .Tensor("param/transformer.h.0.attn.c_q.weight",
              {model.n_heads * model.head_dim, model.d_model})
      .status();
}

// d_ff of the paper's backbone follows from the shapes.
absl::Status ReadPaperWidth(const GoldenFile& file, ModelConfig* model) {
  const std::string name = "param/transformer.h.0.mlp.c_fc1.weight";
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) {
    return absl::InvalidArgumentError(absl::StrCat("the file has no tensor ", name));
  }
  if (found->second.dim() != 2 || found->second.size(0) == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " must be a matrix with at least one row"));
  }
  model->d_ff = found->second.size(0);
  return absl::OkStatus();
}

// A model with many more weights than the file has is not made, only to be refused.
absl::Status CheckCount(const GoldenFile& file, const ModelConfig& model) {
  const uint64_t asked = ParameterCount(ShapesOf(model));
  uint64_t given = 0;
  for (const auto& [name, tensor] : file.tensors) {
    if (absl::StartsWith(name, "param/")) given += static_cast<uint64_t>(tensor.numel());
  }
  if (asked <= 2 * given) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("metadata asks for a model of ", asked, " weights, and the file has ", given));
}

}  // namespace

absl::StatusOr<ModelConfig> GoldenModel(const GoldenFile& file) {
  ModelConfig model;
  DDL_ASSIGN_OR_RETURN(model.residual, ResidualOf(file, &model.seed_layout));
  DDL_ASSIGN_OR_RETURN(model.vocab_size, file.Count("vocab_size", kMostTokens));
  DDL_RETURN_IF_ERROR(model.seed_layout ? ReadSeed(file, &model) : ReadPaper(file, &model));
  if (model.residual.kind == "hyper_connections") {
    DDL_ASSIGN_OR_RETURN(model.residual.streams, file.Count("hc_streams"));
  }
  DDL_RETURN_IF_ERROR(ReadSwitches(file, &model));
  DDL_RETURN_IF_ERROR(CheckSizes(file, model));
  if (!model.seed_layout) DDL_RETURN_IF_ERROR(ReadPaperWidth(file, &model));
  DDL_RETURN_IF_ERROR(CheckCount(file, model));
  return model;
}

}  // namespace ddl
