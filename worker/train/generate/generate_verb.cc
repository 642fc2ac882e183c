#include "worker/train/generate/generate_verb.h"

#include <algorithm>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "common/flags.h"
#include "common/numbers.h"
#include "common/status.h"
#include "common/tokenizer.h"
#include "worker/train/generate/generate.h"
#include "worker/train/generate/weight_file.h"

namespace ddl {
namespace {

constexpr int kExitBadInput = 2;
constexpr int64_t kMostTokens = 1 << 20;

struct Options {
  std::string from, prompt, prompt_tokens;
  std::string temperature = "1", top_p = "1";
  int64_t tokens = 100, top_k = 0, seed = 1;
  bool show_gates = false, no_cache = false;
};

void Declare(Options* options, Flags* flags) {
  flags->String("from", "PATH", "A checkpoint folder, or a file of `ddl-rank init`.",
                &options->from);
  flags->String("prompt", "TEXT", "What is written on from, for the byte vocabulary.",
                &options->prompt);
  flags->String("prompt-tokens", "T,T,...", "The same as numbers, for any vocabulary.",
                &options->prompt_tokens);
  flags->Int("tokens", "N", "New tokens (100).", 0, kMostTokens, &options->tokens);
  flags->String("temperature", "X", "Divides the logits (1); 0 takes the likeliest token.",
                &options->temperature);
  flags->Int("top-k", "N", "Only the N likeliest tokens (0: all).", 0,
             std::numeric_limits<int32_t>::max(), &options->top_k);
  flags->String("top-p", "P", "Only the likeliest tokens that together reach P (1).",
                &options->top_p);
  flags->Int("seed", "S", "Of the choices (1).", 0, std::numeric_limits<int64_t>::max(),
             &options->seed);
  flags->Bool("show-gates", "A table of tokens with beta of every layer's attention and MLP.",
              &options->show_gates);
  flags->Bool("no-cache", "Run the whole sequence for every token.", &options->no_cache);
}

absl::StatusOr<double> RealFlag(absl::string_view name, const std::string& text, double min,
                                double max) {
  const absl::StatusOr<double> value = ParseReal(text);
  if (!value.ok()) return Annotate(value.status(), absl::StrCat("--", name));
  if (*value >= min && *value <= max) return *value;
  return absl::InvalidArgumentError(
      absl::StrCat("--", name, " must be from ", min, " to ", max, ", got ", text));
}

absl::StatusOr<std::vector<int64_t>> PromptOf(const Options& options, int64_t vocab_size) {
  if (options.prompt.empty() == options.prompt_tokens.empty()) {
    return absl::InvalidArgumentError("give one of --prompt and --prompt-tokens, and not empty");
  }
  std::vector<int64_t> tokens;
  if (!options.prompt.empty()) {
    if (vocab_size != kByteVocabSize) {
      return absl::InvalidArgumentError(absl::StrCat("--prompt needs the byte vocabulary of ",
                                                     kByteVocabSize, " tokens, and the model has ",
                                                     vocab_size, ": give --prompt-tokens"));
    }
    for (const char c : options.prompt) tokens.push_back(static_cast<unsigned char>(c));
    return tokens;
  }
  for (const absl::string_view text : absl::StrSplit(options.prompt_tokens, ',')) {
    int64_t token = -1;
    if (!absl::SimpleAtoi(text, &token) || token < 0 || token >= vocab_size) {
      return absl::InvalidArgumentError(
          absl::StrCat("--prompt-tokens must be from 0 to ", vocab_size - 1, ", got ", text));
    }
    tokens.push_back(token);
  }
  return tokens;
}

absl::StatusOr<GenerationPlan> PlanOf(const Options& options, const LoadedModel& loaded) {
  GenerationPlan plan{.new_tokens = options.tokens,
                      .sampling = {.top_k = options.top_k},
                      .seed = static_cast<uint64_t>(options.seed),
                      .cached = !options.no_cache,
                      .gates = options.show_gates};
  DDL_ASSIGN_OR_RETURN(plan.sampling.temperature,
                       RealFlag("temperature", options.temperature, 0, 1e6));
  DDL_ASSIGN_OR_RETURN(plan.sampling.top_p, RealFlag("top-p", options.top_p, 1e-9, 1));
  DDL_ASSIGN_OR_RETURN(plan.prompt, PromptOf(options, loaded.model->config().vocab_size));
  const int64_t whole = static_cast<int64_t>(plan.prompt.size()) + plan.new_tokens;
  if (whole > loaded.description.max_seq_len) {
    return absl::InvalidArgumentError(absl::StrCat(
        "prompt and new tokens together must be at most the model's max_seq_len ",
        loaded.description.max_seq_len, ", got ", plan.prompt.size(), " + ", plan.new_tokens));
  }
  if (plan.gates && !loaded.model->has_gates()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--show-gates: residual ", loaded.model->config().residual.kind, " has no gates"));
  }
  return plan;
}

std::string TokenText(int64_t token, int64_t vocab_size) {
  if (vocab_size != kByteVocabSize) return absl::StrCat(token);
  const uint16_t byte = static_cast<uint16_t>(token);
  return TextOfTokens({&byte, 1});
}

void PrintGateHeader(int64_t layers, std::ostream& out) {
  out << "position  token";
  for (int64_t layer = 0; layer < layers; ++layer) {
    out << absl::StrFormat("  %4d.attn  %4d.mlp", layer, layer);
  }
  out << "\n";
}

void PrintGates(const GeneratedToken& token, std::ostream& out) {
  out << absl::StrFormat("%8d %6d", token.position, token.token);
  for (size_t i = 0; i < token.betas.size(); ++i) {
    out << absl::StrFormat(i % kSublayers == 0 ? "  %9.6f" : "  %8.6f", token.betas[i]);
  }
  out << "\n";
}

absl::Status Run(const std::vector<std::string>& arguments, std::ostream& out) {
  Options options;
  Flags flags("ddl-rank", "generate --from PATH --prompt TEXT", "Writes on from a prompt.");
  Declare(&options, &flags);
  DDL_RETURN_IF_ERROR(flags.Parse(arguments));
  if (options.from.empty()) return absl::InvalidArgumentError("generate needs --from PATH");
  DDL_ASSIGN_OR_RETURN(const LoadedModel loaded, LoadModel(options.from));
  DDL_ASSIGN_OR_RETURN(const GenerationPlan plan, PlanOf(options, loaded));
  const ModelConfig& config = loaded.model->config();
  const bool bytes = config.vocab_size == kByteVocabSize;
  if (plan.gates) PrintGateHeader(config.n_layers, out);
  Generate(*loaded.model, plan, [&](const GeneratedToken& token) {
    if (plan.gates) {
      PrintGates(token, out);
    } else {
      out << (bytes || token.position == 0 ? "" : " ") << TokenText(token.token, config.vocab_size);
    }
  });
  if (!plan.gates) out << "\n";
  return absl::OkStatus();
}

}  // namespace

int GenerateVerb(const std::vector<std::string>& arguments, std::ostream& out,
                 std::ostream& error) {
  const absl::Status status = Run(arguments, out);
  if (status.ok()) return 0;
  error << "ddl-rank: " << status.message() << "\n";
  return kExitBadInput;
}

}  // namespace ddl
