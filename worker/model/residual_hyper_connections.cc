#include "worker/model/residual_hyper_connections.h"

#include "absl/strings/str_cat.h"
#include "worker/model/layers.h"
#include "worker/model/layout.h"

namespace ddl {
namespace {

constexpr double kInitialScale = 0.01;

// The weights of one sublayer.
struct Connection {
  at::Tensor alpha;  // (n, n + 1): A_m, then the columns of A_r.
  at::Tensor beta;   // (n)
  // Of the dynamic form; undefined without it.
  at::Tensor norm;                     // (d)
  at::Tensor alpha_weight;             // (d, n + 1)
  at::Tensor beta_weight;              // (d)
  at::Tensor alpha_scale, beta_scale;  // (1)
};

// A_m = e_(index mod n), A_r = I.
at::Tensor InitialAlpha(int64_t n, int64_t index) {
  const at::Tensor alpha = at::zeros({n, n + 1}, at::kFloat);
  alpha.narrow(1, 1, n).copy_(at::eye(n));
  alpha.select(1, 0).select(0, index % n).fill_(1.0);
  return alpha;
}

Connection MakeConnection(const ModelConfig& config, const std::string& prefix, int64_t index,
                          Parameters* parameters) {
  const int64_t n = config.residual.streams;
  const int64_t d = config.d_model;
  const auto name = [&](const char* part) { return absl::StrCat(prefix, ".", part); };
  Connection made;
  made.alpha = parameters->Add(name("static_alpha"), InitialAlpha(n, index));
  made.beta = parameters->AddConstant(name("static_beta"), {n}, 1.0);
  parameters->SetUndecayed(name("static_alpha"));
  parameters->SetUndecayed(name("static_beta"));
  if (!config.residual.dynamic) return made;
  made.norm = parameters->AddConstant(name("norm.weight"), {d}, 1.0);
  made.alpha_weight = parameters->AddConstant(name("dynamic_alpha"), {d, n + 1}, 0.0);
  made.beta_weight = parameters->AddConstant(name("dynamic_beta"), {d}, 0.0);
  made.alpha_scale = parameters->AddConstant(name("alpha_scale"), {1}, kInitialScale);
  made.beta_scale = parameters->AddConstant(name("beta_scale"), {1}, kInitialScale);
  return made;
}

class HyperConnections final : public Residual {
 public:
  HyperConnections(const ModelConfig& config, Parameters* parameters)
      : streams_(config.residual.streams), norm_eps_(config.norm_eps) {
    for (int64_t index = 0; index < config.n_layers * kSublayers; ++index) {
      const auto sublayer = static_cast<Sublayer>(index % kSublayers);
      const std::string prefix = SublayerPrefix(config, index / kSublayers, sublayer, "hc");
      connections_.push_back(MakeConnection(config, prefix, index, parameters));
    }
  }

  at::Tensor Begin(const at::Tensor& embedding) const override {
    return embedding.unsqueeze(2).expand({-1, -1, streams_, -1});
  }

  // Keeps A_r^T H (B,T,n,d) and B (n) or (B,T,n).
  void Compress(const at::Tensor& state, SublayerValues* values) const override {
    const Connection& weights = At(*values);
    at::Tensor alpha = weights.alpha;
    at::Tensor beta = weights.beta;
    if (weights.norm.defined()) {
      const at::Tensor normed = RmsNorm(state, weights.norm, norm_eps_);
      alpha = alpha + weights.alpha_scale * at::tanh(at::matmul(normed, weights.alpha_weight));
      beta = beta + weights.beta_scale * at::tanh(at::matmul(normed, weights.beta_weight));
    }
    const at::Tensor mixed = at::matmul(alpha.transpose(-1, -2), state);  // (B,T,n+1,d)
    values->x_in = mixed.select(2, 0);
    values->kept = {mixed.narrow(2, 1, streams_), beta};
  }

  at::Tensor Rewrite(const at::Tensor& /*state*/, const SublayerValues& values,
                     GateStatistics* /*gates*/) const override {
    return at::addcmul(values.kept[0], values.kept[1].unsqueeze(-1), values.h.unsqueeze(2));
  }

  at::Tensor ReadOut(const at::Tensor& state) const override { return state.sum(2); }
  bool has_gates() const override { return false; }

 private:
  const Connection& At(const SublayerValues& values) const {
    return connections_[SublayerIndex(values.layer, values.sublayer)];
  }

  int64_t streams_;
  double norm_eps_;
  std::vector<Connection> connections_;  // [SublayerIndex]
};

}  // namespace

std::unique_ptr<Residual> MakeHyperConnections(const ModelConfig& config, Parameters* parameters) {
  return std::make_unique<HyperConnections>(config, parameters);
}

}  // namespace ddl
