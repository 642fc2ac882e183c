#include "worker/train/generate/generate.h"

#include <ATen/core/grad_mode.h>

#include <optional>

#include "common/check.h"
#include "worker/model/gate_trace.h"
#include "worker/model/past.h"
#include "worker/model/random_stream.h"

namespace ddl {
namespace {

// In [0, 1): number `index` of the stream of `seed`.
double Uniform(const RandomStream& stream, int64_t index) {
  return static_cast<double>(stream.At(static_cast<uint64_t>(index))[0]) * 0x1p-32;
}

class Generation {
 public:
  Generation(const Transformer& model, const GenerationPlan& plan,
             const std::function<void(const GeneratedToken&)>& emit)
      : model_(model), plan_(plan), emit_(emit), stream_(plan.seed, "generate") {
    if (plan.cached) past_.emplace(model.config());
  }

  void Run() {
    std::vector<int64_t> sequence = plan_.prompt;
    std::vector<float> logits = Read(sequence, 0);
    for (int64_t i = 0; i < plan_.new_tokens; ++i) {
      sequence.push_back(SampleToken(logits, plan_.sampling, Uniform(stream_, i)));
      logits = Read(sequence, sequence.size() - 1);
    }
  }

 private:
  // Runs the tokens from `first` on, says what they showed, and returns the last one's logits.
  std::vector<float> Read(const std::vector<int64_t>& sequence, size_t first) {
    const size_t begin = past_ ? first : 0;
    const std::vector<int64_t> piece(sequence.begin() + static_cast<int64_t>(begin),
                                     sequence.end());
    std::optional<GateTrace> trace;
    if (plan_.gates) trace.emplace(model_.config().n_layers);
    const at::Tensor logits =
        model_.Logits(at::tensor(piece, at::kLong).unsqueeze(0),
                      {.gates = trace ? &*trace : nullptr, .past = past_ ? &*past_ : nullptr});
    for (size_t i = first; i < sequence.size(); ++i) {
      Emit(sequence, i, static_cast<int64_t>(i - begin), trace ? &*trace : nullptr);
    }
    const at::Tensor last =
        logits.select(0, 0).select(0, logits.size(1) - 1).to(at::kFloat).contiguous();
    const float* const values = last.data_ptr<float>();
    return {values, values + last.numel()};
  }

  void Emit(const std::vector<int64_t>& sequence, size_t at, int64_t row, const GateTrace* trace) {
    GeneratedToken token{.position = static_cast<int64_t>(at),
                         .token = sequence[at],
                         .prompt = at < plan_.prompt.size()};
    if (trace != nullptr) {
      for (const at::Tensor& beta : trace->betas()) {
        token.betas.push_back(beta.select(0, 0).select(0, row).item<double>());
      }
    }
    emit_(token);
  }

  const Transformer& model_;
  const GenerationPlan& plan_;
  const std::function<void(const GeneratedToken&)>& emit_;
  RandomStream stream_;
  std::optional<Past> past_;
};

}  // namespace

void Generate(const Transformer& model, const GenerationPlan& plan,
              const std::function<void(const GeneratedToken&)>& emit) {
  DDL_CHECK(!plan.prompt.empty());
  const at::NoGradGuard no_grad;
  Generation(model, plan, emit).Run();
}

}  // namespace ddl
