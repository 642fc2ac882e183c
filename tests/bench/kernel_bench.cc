// Times every kernel on the GPU at the sizes of the 124M and 353M models and prints, for each, the
// microseconds, the ideal bytes and the share of the device-to-device copy rate measured in the
// same process: kernel_bench COMMIT FILE.json [NAME]. Data are random, never zeros; each time is
// the median of single launches between events.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kernels/activation.h"
#include "kernels/boundary.h"
#include "kernels/cross_entropy.h"
#include "kernels/embedding.h"
#include "kernels/optimizer.h"
#include "kernels/rotary.h"

namespace ddl::kernels {
namespace {

constexpr int64_t kTokens = 65536;
constexpr int kWarmUp = 3;
constexpr int kRepeats = 15;
constexpr int kBatch = 8;

void Check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
  std::exit(1);
}

// Device memory of random values, freed with the pool.
class Pool {
 public:
  ~Pool() {
    for (void* memory : memory_) cudaFree(memory);
  }
  template <typename T>
  T* Random(int64_t count, double low = -1.0, double high = 1.0) {
    std::uniform_real_distribution<double> uniform(low, high);
    std::vector<T> chunk(std::min<int64_t>(count, 1 << 18));
    for (T& value : chunk) {
      if constexpr (std::is_integral_v<T>) {
        value = static_cast<T>(uniform(random_));
      } else {
        value = FromReal<T>(static_cast<Real<T>>(uniform(random_)));
      }
    }
    T* data = nullptr;
    Check(cudaMalloc(reinterpret_cast<void**>(&data), count * sizeof(T)), "cudaMalloc");
    memory_.push_back(data);
    for (int64_t at = 0; at < count; at += static_cast<int64_t>(chunk.size())) {
      const int64_t size = std::min<int64_t>(chunk.size(), count - at);
      Check(cudaMemcpy(data + at, chunk.data(), size * sizeof(T), cudaMemcpyHostToDevice), "copy");
    }
    return data;
  }

 private:
  std::mt19937 random_{1};
  std::vector<void*> memory_;
};

struct Result {
  std::string name;
  double microseconds = 0;
  double ideal_bytes = 0;
};

double MedianMicroseconds(const std::function<Outcome()>& launch) {
  std::vector<double> times;
  cudaEvent_t begin;
  cudaEvent_t end;
  Check(cudaEventCreate(&begin), "event");
  Check(cudaEventCreate(&end), "event");
  for (int i = 0; i < kWarmUp + kRepeats; ++i) {
    Check(cudaEventRecord(begin), "record");
    for (int launched = 0; launched < kBatch; ++launched) {
      const Outcome done = launch();
      if (done.ok()) continue;
      std::fprintf(stderr, "%s\n", done.message().c_str());
      std::exit(1);
    }
    Check(cudaEventRecord(end), "record");
    Check(cudaEventSynchronize(end), "kernel");
    float milliseconds = 0;
    Check(cudaEventElapsedTime(&milliseconds, begin, end), "elapsed");
    if (i >= kWarmUp) times.push_back(1000.0 / kBatch * static_cast<double>(milliseconds));
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

class Bench {
 public:
  // Times what has `only` in its name.
  explicit Bench(std::string only) : only_(std::move(only)) {}
  // `copy_rate`: bytes read and written for each microsecond.
  void CopyRate() {
    Pool pool;
    constexpr int64_t kBytes = int64_t{1} << 30;
    auto* from = pool.Random<Bf16>(kBytes / 2);
    auto* to = pool.Random<Bf16>(kBytes / 2);
    const double time = MedianMicroseconds([&] {
      Check(cudaMemcpyAsync(to, from, kBytes, cudaMemcpyDeviceToDevice), "copy");
      return Outcome();
    });
    copy_rate_ = 2.0 * kBytes / time;
    std::printf("%-44s %10.1f us  %8.1f GB/s\n", "device-to-device copy of 1 GiB", time,
                copy_rate_ / 1000);
  }
  void Time(const std::string& name, double ideal_bytes, const std::function<Outcome()>& launch) {
    if (name.find(only_) == std::string::npos) return;
    const Result result{name, MedianMicroseconds(launch), ideal_bytes};
    std::printf("%-44s %10.1f us  %8.1f GB/s  %5.1f %%\n", name.c_str(), result.microseconds,
                ideal_bytes / result.microseconds / 1000, Share(result));
    std::fflush(stdout);
    results_.push_back(result);
  }
  void Write(const char* commit, const char* path) const;

 private:
  double Share(const Result& r) const {
    return 100.0 * r.ideal_bytes / r.microseconds / copy_rate_;
  }
  std::string only_;
  double copy_rate_ = 1;
  std::vector<Result> results_;
};

void Bench::Write(const char* commit, const char* path) const {
  cudaDeviceProp device;
  int driver = 0;
  int runtime = 0;
  Check(cudaGetDeviceProperties(&device, 0), "properties");
  Check(cudaDriverGetVersion(&driver), "driver");
  Check(cudaRuntimeGetVersion(&runtime), "runtime");
  std::ofstream out(path);
  out << "{\n  \"gpu\": \"" << device.name << "\",\n  \"commit\": \"" << commit
      << "\",\n  \"cuda_driver\": " << driver << ",\n  \"cuda_runtime\": " << runtime
      << ",\n  \"command\": \"tests/bench/kernels.sh\",\n  \"tokens\": " << kTokens
      << ",\n  \"copy_gigabytes_per_second\": " << copy_rate_ / 1000 << ",\n  \"results\": [";
  for (size_t i = 0; i < results_.size(); ++i) {
    const Result& r = results_[i];
    out << (i == 0 ? "\n" : ",\n") << "    {\"kernel\": \"" << r.name
        << "\", \"microseconds\": " << r.microseconds << ", \"ideal_bytes\": " << r.ideal_bytes
        << ", \"share_of_copy_rate\": " << Share(r) / 100 << "}";
  }
  out << "\n  ]\n}\n";
}

void TimeBoundary(int64_t d, int64_t n, Update update, Bench* bench) {
  Pool pool;
  const int64_t rows = kTokens;
  const bool gated = update >= Update::kWriteOnly;
  BoundaryForward<Bf16> forward;
  forward.shape = {rows, d, n, update};
  forward.state = pool.Random<Bf16>(rows * n * d);
  forward.h = pool.Random<Bf16>(rows * d);
  forward.v = pool.Random<float>(rows * n, 0.5, 3.5);
  forward.beta = pool.Random<float>(rows, 0.1, 1.9);
  BoundaryWeights<float>& w = forward.weights;
  w.compressor = n > 1 ? pool.Random<float>(n * d) : nullptr;
  w.gain = pool.Random<float>(d, 0.5, 1.5);
  if (gated) {
    w.value_weight = pool.Random<float>(n * d, -0.05, 0.05);
    w.value_bias = pool.Random<float>(n);
    w.gate_weight = pool.Random<float>(d, -0.05, 0.05);
    w.gate_bias = pool.Random<float>(1);
  }
  forward.next_state = pool.Random<Bf16>(rows * n * d);
  forward.c = pool.Random<Bf16>(rows * d);
  forward.inverse_rms = pool.Random<float>(rows);
  forward.h_norm = pool.Random<float>(rows);
  forward.row = pool.Random<float>(rows * n);
  forward.next_v = pool.Random<float>(rows * n);
  forward.next_beta = pool.Random<float>(rows);
  const char* names[] = {"none", "additive", "write_only", "ddl"};
  const std::string name = std::string(names[static_cast<int>(update)]) + " d " +
                           std::to_string(d) + " d_v " + std::to_string(n);
  const double element = 2.0 * static_cast<double>(rows * d);
  const auto channels = static_cast<double>(n);
  bench->Time("boundary forward " + name, (2 * channels + 2) * element,
              [&] { return Launch(forward, Gpu{}); });
  BoundaryBackward<Bf16> backward;
  backward.shape = forward.shape;
  backward.next_state = forward.next_state;
  backward.d_next_state = pool.Random<Bf16>(rows * n * d);
  backward.d_c = pool.Random<Bf16>(rows * d);
  backward.h = forward.h;
  backward.v = forward.v;
  backward.beta = forward.beta;
  backward.inverse_rms = forward.inverse_rms;
  backward.h_norm = forward.h_norm;
  backward.row = forward.row;
  backward.weights = w;
  backward.d_value_logits = pool.Random<float>(rows * n);
  backward.d_gate_logit = pool.Random<float>(rows);
  backward.d_state = pool.Random<Bf16>(rows * n * d);
  backward.d_h = pool.Random<Bf16>(rows * d);
  backward.d_v_logits = pool.Random<float>(rows * n);
  backward.d_beta_logit = pool.Random<float>(rows);
  backward.d_compressor = pool.Random<float>(n * d);
  backward.d_gain = pool.Random<float>(d);
  backward.d_value_weight = pool.Random<float>(n * d);
  backward.d_value_bias = pool.Random<float>(n);
  backward.d_gate_weight = pool.Random<float>(d);
  backward.d_gate_bias = pool.Random<float>(1);
  backward.workspace_size = BoundaryWorkspace(d, n);
  backward.workspace = pool.Random<float>(backward.workspace_size);
  const double ideal = gated ? 3 * channels + 3 : 4;
  bench->Time("boundary backward " + name, ideal * element,
              [&] { return Launch(backward, Gpu{}); });
}

void TimeMlp(int64_t d_ff, Bench* bench) {
  Pool pool;
  auto* in = pool.Random<Bf16>(kTokens * 2 * d_ff);
  auto* out = pool.Random<Bf16>(kTokens * d_ff);
  auto* d_in = pool.Random<Bf16>(kTokens * 2 * d_ff);
  const double element = 2.0 * static_cast<double>(kTokens * d_ff);
  const std::string name = " d_ff " + std::to_string(d_ff);
  bench->Time("swiglu forward" + name, 3 * element, [&] {
    return Launch(ActivationForward<Bf16>{kTokens, d_ff, Activation::kSwiGlu, in, out}, Gpu{});
  });
  bench->Time("swiglu backward" + name, 5 * element, [&] {
    return Launch(ActivationBackward<Bf16>{kTokens, d_ff, Activation::kSwiGlu, in, out, d_in},
                  Gpu{});
  });
}

void TimeRotary(int64_t heads, PairLayout layout, Bench* bench) {
  Pool pool;
  constexpr int64_t kHeadDim = 128;
  constexpr int64_t kSequence = 1024;
  RotaryShape<float> shape;
  shape.tokens = kTokens;
  shape.sequence = kSequence;
  shape.query_heads = heads;
  shape.key_heads = heads;
  shape.head_dim = kHeadDim;
  shape.rotated = kHeadDim;
  shape.row_stride = 3 * heads * kHeadDim;
  shape.layout = layout;
  shape.cosine = pool.Random<float>(kSequence * kHeadDim / 2);
  shape.sine = pool.Random<float>(kSequence * kHeadDim / 2);
  shape.query_gain = pool.Random<float>(kHeadDim);
  shape.key_gain = pool.Random<float>(kHeadDim);
  const int64_t part = kTokens * heads * kHeadDim;
  auto* in = pool.Random<Bf16>(3 * part);
  auto* d_in = pool.Random<Bf16>(3 * part);
  auto* queries = pool.Random<Bf16>(part);
  auto* keys = pool.Random<Bf16>(part);
  RotaryBackward<Bf16> backward{shape, in, queries, keys, d_in};
  backward.d_query_gain = pool.Random<float>(kHeadDim);
  backward.d_key_gain = pool.Random<float>(kHeadDim);
  backward.workspace_size = RotaryWorkspace(kHeadDim);
  backward.workspace = pool.Random<float>(backward.workspace_size);
  const double element = 2.0 * static_cast<double>(part);
  const std::string name = std::string(layout == PairLayout::kHalves ? " halves" : " neighbours") +
                           " heads " + std::to_string(heads);
  bench->Time("rotary forward" + name, 4 * element, [&] {
    return Launch(RotaryForward<Bf16>{shape, in, queries, keys}, Gpu{});
  });
  bench->Time("rotary backward" + name, 6 * element, [&] { return Launch(backward, Gpu{}); });
}

void TimeLoss(Bench* bench) {
  Pool pool;
  constexpr int64_t kRows = 16384;
  constexpr int64_t kVocabulary = 50304;
  CrossEntropy<Bf16> call;
  call.tokens = kRows;
  call.vocabulary = kVocabulary;
  call.stride = kVocabulary;
  call.logits = pool.Random<Bf16>(kRows * kVocabulary, -4, 4);
  call.targets = pool.Random<int32_t>(kRows, 0, kVocabulary - 1);
  call.losses = pool.Random<float>(kRows);
  bench->Time("softmax, loss and dlogits, 16384 tokens", 4.0 * kRows * kVocabulary,
              [&] { return Launch(call, Gpu{}); });
}

void TimeEmbedding(int64_t n, Bench* bench) {
  Pool pool;
  constexpr int64_t kWidth = 768;
  constexpr int64_t kVocabulary = 50304;
  const EmbeddingShape shape{kTokens, 1024, kWidth, n, n > 1 ? 4 : 0};
  std::mt19937 random(5);
  std::vector<int32_t> ids(kTokens);
  for (int32_t& id : ids) {
    // Half of the text is of 100 tokens, as in real text.
    id = static_cast<int32_t>(random() % (random() % 2 == 0 ? 100 : kVocabulary));
  }
  const std::vector<int32_t> order = SortedPositions(ids.data(), kTokens);
  auto* device_ids = pool.Random<int32_t>(kTokens);
  auto* device_order = pool.Random<int32_t>(kTokens);
  Check(cudaMemcpy(device_ids, ids.data(), kTokens * 4, cudaMemcpyHostToDevice), "ids");
  Check(cudaMemcpy(device_order, order.data(), kTokens * 4, cudaMemcpyHostToDevice), "order");
  auto* table = pool.Random<Bf16>(kVocabulary * kWidth);
  auto* kernel = pool.Random<float>(kWidth * n * 4);
  auto* state = pool.Random<Bf16>(kTokens * n * kWidth);
  EmbeddingBackward<Bf16> back{shape, device_ids, device_order, table, kernel, 1.0F, state};
  back.d_embedding = pool.Random<float>(kVocabulary * kWidth);
  back.d_kernel = pool.Random<float>(kWidth * n * 4);
  back.workspace_size = EmbeddingWorkspace(shape);
  back.workspace = pool.Random<float>(back.workspace_size);
  const std::string name = " d 768 d_v " + std::to_string(n);
  const double row = 2.0 * kTokens * kWidth;
  const auto channels = static_cast<double>(n);
  bench->Time("embedding forward" + name, (1 + channels) * row, [&] {
    return Launch(EmbeddingForward<Bf16>{shape, device_ids, table, kernel, 1.0F, state}, Gpu{});
  });
  // The gradient's rows are read and written once in fp32 where a token occurs.
  bench->Time("embedding backward" + name, (1 + channels + 4) * row,
              [&] { return Launch(back, Gpu{}); });
}

void TimeOptimizer(Bench* bench) {
  Pool pool;
  constexpr int64_t kCount = 123'600'000;
  AdamW<Bf16> adamw;
  adamw.count = kCount;
  adamw.masters = pool.Random<float>(kCount);
  auto* gradients = pool.Random<float>(kCount);
  adamw.gradients = gradients;
  adamw.first_moment = pool.Random<float>(kCount);
  adamw.second_moment = pool.Random<float>(kCount, 0, 1);
  adamw.weights = pool.Random<Bf16>(kCount);
  adamw.learning_rate = pool.Random<float>(1, 1e-4, 1e-3);
  adamw.step = pool.Random<int64_t>(1, 100, 200);
  adamw.clip = pool.Random<float>(1, 0.5, 1);
  bench->Time("adamw 123.6 M", 30.0 * kCount, [&] { return Launch(adamw, Gpu{}); });
  GlobalNorm<Bf16> norm;
  norm.count = kCount;
  norm.gradients = gradients;
  norm.max_norm = 1;
  norm.norm = pool.Random<float>(1);
  norm.clip = pool.Random<float>(1);
  norm.workspace = pool.Random<float>(kNormWorkspace);
  bench->Time("global norm 123.6 M", 4.0 * kCount, [&] { return Launch(norm, Gpu{}); });
}

void Run(const char* commit, const char* path, const char* only) {
  Bench bench(only);
  bench.CopyRate();
  for (const int64_t d : {768, 1024}) {
    TimeBoundary(d, 1, Update::kAdditive, &bench);
    TimeBoundary(d, 1, Update::kDdl, &bench);
    TimeBoundary(d, 4, Update::kDdl, &bench);
  }
  TimeBoundary(768, 2, Update::kDdl, &bench);
  TimeBoundary(768, 8, Update::kDdl, &bench);
  TimeBoundary(768, 4, Update::kWriteOnly, &bench);
  TimeMlp(2048, &bench);
  TimeRotary(6, PairLayout::kHalves, &bench);
  TimeRotary(6, PairLayout::kNeighbours, &bench);
  TimeLoss(&bench);
  TimeEmbedding(1, &bench);
  TimeEmbedding(4, &bench);
  TimeOptimizer(&bench);
  bench.Write(commit, path);
}

}  // namespace
}  // namespace ddl::kernels

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: kernel_bench COMMIT FILE.json [NAME]\n");
    return 2;
  }
  ddl::kernels::Run(argv[1], argv[2], argc == 4 ? argv[3] : "");
  return 0;
}
