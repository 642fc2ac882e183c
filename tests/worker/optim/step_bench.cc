// Times training steps of a model on the CPU for tests/bench/model_bench.py:
//
//   model_step_bench KIND CHANNELS
//
// Each line of standard input asks for one step; its seconds are the line that answers. The sizes
// are those of the figure: d 256, L 4, T 256, B 8, one thread or OMP_NUM_THREADS.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "worker/model/transformer.h"
#include "worker/optim/optimizer.h"

namespace ddl {
namespace {

constexpr int64_t kBatch = 8;
constexpr int64_t kTokens = 256;

ModelConfig Config(const std::string& kind, int64_t channels) {
  ModelConfig config{.d_model = 256,
                     .n_layers = 4,
                     .n_heads = 4,
                     .n_kv_heads = 4,
                     .head_dim = 64,
                     .d_ff = 682,
                     .vocab_size = 257};
  config.residual.kind = kind;
  if (channels == 1) return config;
  config.residual.value_channels = channels;
  config.residual.compress = "channel";
  config.residual.compress_kernel = channels;
  config.residual.embed_conv = true;
  return config;
}

int Main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: model_step_bench KIND CHANNELS\n";
    return 2;
  }
  const char* const threads = std::getenv("OMP_NUM_THREADS");
  at::set_num_threads(threads == nullptr ? 1 : std::atoi(threads));
  Transformer model(Config(argv[1], std::atoll(argv[2])), 1, at::kCPU);
  Optimizer optimizer({}, &model.parameters());
  at::Tensor gradients = model.parameters().flat_gradients();
  const at::Tensor indices = at::randint(257, {kBatch, kTokens}, at::kLong);
  const at::Tensor targets = at::randint(257, {kBatch, kTokens}, at::kLong);
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto start = std::chrono::steady_clock::now();
    gradients.zero_();
    const at::Tensor loss =
        Transformer::LossSum(model.Logits(indices), targets) / double{kBatch * kTokens};
    loss.backward();
    ClipGradients(gradients, 1.0);
    optimizer.Step(1.0);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    std::cout << passed.count() << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace ddl

int main(int argc, char** argv) { return ddl::Main(argc, argv); }
