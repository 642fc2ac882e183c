#include "worker/optim/optimizer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace ddl {
namespace {

// The tied embedding and head of either backbone: a matrix that Muon leaves to AdamW.
bool IsEmbedding(const std::string& name) {
  return name == "transformer.wte.weight" || name == "token_embedding.weight";
}

// Weights that lie behind one another in the flat tensors are moved as one.
struct Span {
  int64_t offset = 0;
  int64_t count = 0;
};

std::vector<Span> SpansOf(const std::vector<const Parameter*>& held) {
  std::vector<Span> spans;
  for (const Parameter* parameter : held) {
    const int64_t count = parameter->value.numel();
    if (!spans.empty() && spans.back().offset + spans.back().count == parameter->offset) {
      spans.back().count += count;
    } else {
      spans.push_back({parameter->offset, count});
    }
  }
  return spans;
}

// The part of one of `moments`, shaped like `spans`, that belongs to `parameter`.
at::Tensor MomentOf(const Parameter& parameter, const std::vector<Span>& spans,
                    const std::vector<at::Tensor>& moments) {
  for (size_t i = 0; i < spans.size(); ++i) {
    const int64_t at = parameter.offset - spans[i].offset;
    if (at < 0 || at >= spans[i].count) continue;
    return moments[i].narrow(0, at, parameter.value.numel()).view(parameter.value.sizes());
  }
  DDL_CHECK(false && "a weight outside its group");
  return {};
}

}  // namespace

Optimizer::Optimizer(const OptimizerConfig& config, Parameters* parameters)
    : config_(config), parameters_(parameters) {
  std::vector<const Parameter*> decayed;
  std::vector<const Parameter*> kept;
  for (const Parameter& parameter : parameters->all()) {
    if (config.use_muon && parameter.value.dim() == 2 && !IsEmbedding(parameter.name)) {
      DDL_CHECK(CheckMuonShape(parameter.name, parameter.value.sizes()).ok());
      muon_.push_back({parameter.name, Parameters::Slice(parameters->flat(), parameter),
                       Parameters::Slice(parameters->flat_gradients(), parameter),
                       at::zeros_like(parameter.value)});
      state_.push_back({absl::StrCat("first_moment/", parameter.name), muon_.back().momentum});
    } else {
      (parameter.decays ? decayed : kept).push_back(&parameter);
    }
  }
  AdamWConfig undecayed = config.adamw;
  undecayed.weight_decay = 0;
  AddAdamW(config.adamw, decayed);
  AddAdamW(undecayed, kept);
  std::map<std::string, size_t> order;
  for (const char* kind : {"first_moment/", "second_moment/"}) {
    for (const Parameter& parameter : parameters->all()) {
      order.emplace(kind + parameter.name, order.size());
    }
  }
  std::sort(state_.begin(), state_.end(), [&](const NamedTensor& a, const NamedTensor& b) {
    return order.at(a.name) < order.at(b.name);
  });
}

void Optimizer::AddAdamW(const AdamWConfig& config, const std::vector<const Parameter*>& held) {
  if (held.empty()) return;
  const std::vector<Span> spans = SpansOf(held);
  std::vector<at::Tensor> weights;
  std::vector<at::Tensor> gradients;
  for (const Span& span : spans) {
    weights.push_back(parameters_->flat().narrow(0, span.offset, span.count));
    gradients.push_back(parameters_->flat_gradients().narrow(0, span.offset, span.count));
  }
  const AdamW& group = adamw_.emplace_back(config, std::move(weights), std::move(gradients));
  for (const Parameter* parameter : held) {
    state_.push_back({absl::StrCat("first_moment/", parameter->name),
                      MomentOf(*parameter, spans, group.first_moments())});
    state_.push_back({absl::StrCat("second_moment/", parameter->name),
                      MomentOf(*parameter, spans, group.second_moments())});
  }
}

void Optimizer::Step(double factor) {
  for (AdamW& group : adamw_) group.Step(config_.adamw_peak * factor);
  for (const Matrix& matrix : muon_) {
    MuonStep(config_.muon, config_.muon_peak * factor, matrix.gradient, matrix.momentum,
             matrix.weight);
  }
  ++steps_;
}

void Optimizer::set_steps(int64_t steps) {
  steps_ = steps;
  for (AdamW& group : adamw_) group.set_steps(steps);
}

std::vector<std::string> Optimizer::MuonWeights() const {
  std::vector<std::string> names;
  for (const Matrix& matrix : muon_) names.push_back(matrix.name);
  return names;
}

}  // namespace ddl
