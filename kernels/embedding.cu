#include "kernels/embedding.h"
#include "kernels/gpu_parts.h"

namespace ddl::kernels {
namespace {

constexpr int kThreads = 192;
constexpr int kMostTaps = 8;
constexpr int kFeatures = 4;
// Chunks of neighbouring tokens; each leaves one row of partial sums of the kernel's gradient.
constexpr int64_t kMostChunks = 528;

// Workspace: the embedding rows' gradients (N, d), then partial kernels (n K, d) of every chunk.
int64_t PartialStride(const EmbeddingShape& s) { return s.n * s.taps * s.d; }

int FeatureBlocks(int64_t d) {
  return static_cast<int>((d + kThreads * kFeatures - 1) / (kThreads * kFeatures));
}

int64_t ChunksFor(int64_t tokens) { return tokens < kMostChunks ? tokens : kMostChunks; }

__device__ __forceinline__ int64_t FirstFeature() {
  return (int64_t{blockIdx.x} * kThreads + threadIdx.x) * kFeatures;
}

// Tokens [begin, end) of this block's chunk.
struct Chunk {
  __device__ explicit Chunk(int64_t tokens)
      : begin(tokens * blockIdx.y / gridDim.y), end(tokens * (blockIdx.y + 1) / gridDim.y) {}
  int64_t begin;
  int64_t end;
};

// The embedding rows under a kernel of K taps that ends at the current token; before the start of
// the sequence they are zero. Call Step for each token of a chunk in turn.
template <typename T, int K>
class Window {
 public:
  template <typename Call>
  __device__ Window(const Call& call, int64_t begin, int64_t first)
      : ids_(call.ids),
        table_(call.embedding + first),
        d_(call.shape.d),
        sequence_(call.shape.sequence),
        position_(begin % call.shape.sequence) {
#pragma unroll
    for (int tap = 0; tap < K; ++tap) Clear(rows[tap]);
    const int64_t before = position_ < K - 1 ? position_ : K - 1;
    position_ -= before;
    for (int64_t t = begin - before; t < begin; ++t) Step(t);
  }
  __device__ __forceinline__ void Step(int64_t t) {
    if (position_ == sequence_) position_ = 0;
#pragma unroll
    for (int tap = 0; tap + 1 < K; ++tap) {
#pragma unroll
      for (int f = 0; f < kFeatures; ++f) rows[tap][f] = position_ == 0 ? 0.0f : rows[tap + 1][f];
    }
    LoadElements<kFeatures>(table_ + ids_[t] * d_, rows[K - 1]);
    ++position_;
  }
  float rows[K][kFeatures];  // The newest last.

 private:
  const int32_t* ids_;
  const T* table_;
  int64_t d_;
  int64_t sequence_;
  int64_t position_;  // of the next token in its sequence
};

// Taps of one channel, the newest last; a kernel shorter than K begins with zeros. Without taps the
// row is taken as it is.
template <int K>
__device__ __forceinline__ void LoadTaps(const EmbeddingShape& s, const float* kernel,
                                         int64_t first, int64_t j, float (&taps)[K][kFeatures]) {
#pragma unroll
  for (int tap = 0; tap < K; ++tap) {
    const int64_t own = tap - (K - s.taps);
#pragma unroll
    for (int f = 0; f < kFeatures; ++f) {
      taps[tap][f] = own >= 0 ? kernel[((first + f) * s.n + j) * s.taps + own] : 0.0f;
      if (s.taps == 0 && tap == K - 1) taps[tap][f] = 1.0f;
    }
  }
}

// Grid: features, chunks of tokens, channels.
template <typename T, int K>
__global__ void __launch_bounds__(kThreads)
    ForwardKernel(const __grid_constant__ EmbeddingForward<T> call) {
  const EmbeddingShape& s = call.shape;
  const int64_t first = FirstFeature();
  if (first >= s.d) return;
  const int64_t j = blockIdx.z;
  float taps[K][kFeatures];
  LoadTaps<K>(s, call.kernel, first, j, taps);
  const Chunk chunk(s.tokens);
  Window<T, K> window(call, chunk.begin, first);
#pragma unroll 2
  for (int64_t t = chunk.begin; t < chunk.end; ++t) {
    window.Step(t);
    float out[kFeatures] = {};
#pragma unroll
    for (int tap = 0; tap < K; ++tap) {
#pragma unroll
      for (int f = 0; f < kFeatures; ++f) out[f] += taps[tap][f] * window.rows[tap][f];
    }
#pragma unroll
    for (int f = 0; f < kFeatures; ++f) out[f] *= call.scale;
    StoreElements<kFeatures>(out, call.state + (t * s.n + j) * s.d + first, true);
  }
}

// The gradient of each position's embedding row. Shared memory holds the taps, a row of the block's
// features for each (j, tap).
template <typename T>
__global__ void __launch_bounds__(kThreads)
    RowsKernel(const __grid_constant__ EmbeddingBackward<T> call) {
  extern __shared__ __align__(16) float taps[];
  const EmbeddingShape& s = call.shape;
  const int64_t first = FirstFeature();
  if (first >= s.d) return;
  float* own = taps + threadIdx.x * kFeatures;
  const int each = s.taps > 0 ? static_cast<int>(s.taps) : 1;
  for (int row = 0; row < s.n * each; ++row) {
    for (int f = 0; f < kFeatures; ++f) {
      const int64_t at = ((first + f) * s.n + row / each) * each + row % each;
      own[row * kThreads * kFeatures + f] = s.taps > 0 ? call.kernel[at] : 1.0f;
    }
  }
  const Chunk chunk(s.tokens);
  for (int64_t t = chunk.begin; t < chunk.end; ++t) {
    float sum[kFeatures] = {};
    const int64_t left = s.sequence - 1 - t % s.sequence;
    const int ahead = static_cast<int>(left < each - 1 ? left : each - 1);
    for (int j = 0; j < s.n; ++j) {
#pragma unroll 4
      for (int step = 0; step <= ahead; ++step) {
        float d_out[kFeatures];
        float tap[kFeatures];
        LoadElements<kFeatures>(call.d_state + ((t + step) * s.n + j) * s.d + first, d_out);
        LoadElements<kFeatures>(own + (j * each + each - 1 - step) * kThreads * kFeatures, tap);
#pragma unroll
        for (int f = 0; f < kFeatures; ++f) sum[f] += tap[f] * d_out[f];
      }
    }
#pragma unroll
    for (int f = 0; f < kFeatures; ++f) sum[f] *= call.scale;
    StoreElements<kFeatures>(sum, call.workspace + t * s.d + first, true);
  }
}

// Each chunk's part of the kernel's gradient, transposed to (n, K, d).
template <typename T, int K>
__global__ void __launch_bounds__(kThreads)
    TapsKernel(const __grid_constant__ EmbeddingBackward<T> call) {
  const EmbeddingShape& s = call.shape;
  const int64_t first = FirstFeature();
  if (first >= s.d) return;
  const int64_t j = blockIdx.z;
  float sums[K][kFeatures] = {};
  const Chunk chunk(s.tokens);
  Window<T, K> window(call, chunk.begin, first);
#pragma unroll 2
  for (int64_t t = chunk.begin; t < chunk.end; ++t) {
    float d_out[kFeatures];
    window.Step(t);
    LoadElements<kFeatures>(call.d_state + (t * s.n + j) * s.d + first, d_out);
#pragma unroll
    for (int tap = 0; tap < K; ++tap) {
#pragma unroll
      for (int f = 0; f < kFeatures; ++f) sums[tap][f] += d_out[f] * window.rows[tap][f];
    }
  }
  float* to = call.workspace + s.tokens * s.d + blockIdx.y * (s.n * s.taps * s.d);
#pragma unroll
  for (int tap = 0; tap < K; ++tap) {
    const int64_t own = tap - (K - s.taps);
    if (own < 0) continue;
#pragma unroll
    for (int f = 0; f < kFeatures; ++f) sums[tap][f] *= call.scale;
    StoreElements<kFeatures>(sums[tap], to + (j * s.taps + own) * s.d + first, true);
  }
}

// Sums the chunks in their order, back to the kernel's own layout.
template <typename T>
__global__ void __launch_bounds__(kThreads)
    KernelGradientKernel(const __grid_constant__ EmbeddingBackward<T> call, int64_t chunks) {
  const EmbeddingShape& s = call.shape;
  const int64_t column = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const int64_t columns = s.n * s.taps * s.d;
  if (column >= columns) return;
  float sum = 0.0f;
#pragma unroll 8
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    sum += call.workspace[s.tokens * s.d + chunk * columns + column];
  }
  const int64_t row = column / s.d;  // j K + tap
  call.d_kernel[(column % s.d * s.n + row / s.taps) * s.taps + row % s.taps] += sum;
}

// One block for each run of equal ids: the block of its first place adds the rows in their order.
template <typename T>
__global__ void __launch_bounds__(kThreads)
    ScatterKernel(const __grid_constant__ EmbeddingBackward<T> call) {
  const EmbeddingShape& s = call.shape;
  const int64_t first = FirstFeature();
  const int64_t place = blockIdx.y + int64_t{blockIdx.z} * gridDim.y;
  if (place >= s.tokens || first >= s.d) return;
  const int32_t id = call.ids[call.order[place]];
  if (place > 0 && call.ids[call.order[place - 1]] == id) return;
  float sum[kFeatures] = {};
  constexpr int kBatch = 8;
  for (int64_t at = place; at < s.tokens; at += kBatch) {
    float rows[kBatch][kFeatures];
    bool same = true;
#pragma unroll
    for (int b = 0; b < kBatch; ++b) {
      Clear(rows[b]);
      const int64_t position = at + b < s.tokens ? call.order[at + b] : -1;
      same = same && position >= 0 && call.ids[position] == id;
      if (same) LoadElements<kFeatures>(call.workspace + position * s.d + first, rows[b]);
    }
#pragma unroll
    for (int b = 0; b < kBatch; ++b) {
#pragma unroll
      for (int f = 0; f < kFeatures; ++f) sum[f] += rows[b][f];
    }
    if (!same) break;
  }
  float* to = call.d_embedding + int64_t{id} * s.d + first;
  float old[kFeatures];
  LoadElements<kFeatures>(to, old);
#pragma unroll
  for (int f = 0; f < kFeatures; ++f) sum[f] += old[f];
  StoreElements<kFeatures>(sum, to, true);
}

// Four taps and the mere row have code of their own; the others share that of eight.
template <typename T>
void StartForward(const EmbeddingForward<T>& call, Gpu place) {
  const EmbeddingShape& s = call.shape;
  const dim3 grid(FeatureBlocks(s.d), static_cast<unsigned>(ChunksFor(s.tokens)),
                  static_cast<unsigned>(s.n));
  if (s.taps <= 1) {
    ForwardKernel<T, 1><<<grid, kThreads, 0, place.stream>>>(call);
  } else if (s.taps == 4) {
    ForwardKernel<T, 4><<<grid, kThreads, 0, place.stream>>>(call);
  } else {
    ForwardKernel<T, kMostTaps><<<grid, kThreads, 0, place.stream>>>(call);
  }
}

template <typename T>
void StartTaps(const EmbeddingBackward<T>& call, Gpu place) {
  const EmbeddingShape& s = call.shape;
  const int64_t chunks = ChunksFor(s.tokens);
  const dim3 grid(FeatureBlocks(s.d), static_cast<unsigned>(chunks), static_cast<unsigned>(s.n));
  if (s.taps == 4) {
    TapsKernel<T, 4><<<grid, kThreads, 0, place.stream>>>(call);
  } else {
    TapsKernel<T, kMostTaps><<<grid, kThreads, 0, place.stream>>>(call);
  }
  const auto blocks = static_cast<unsigned>((PartialStride(s) + kThreads - 1) / kThreads);
  KernelGradientKernel<T><<<blocks, kThreads, 0, place.stream>>>(call, chunks);
}

template <typename T>
void StartRows(const EmbeddingBackward<T>& call, Gpu place) {
  const EmbeddingShape& s = call.shape;
  const int64_t rows = s.n * (s.taps > 0 ? s.taps : 1);
  const auto shared = static_cast<int>(rows * kThreads * kFeatures * 4);
  const int64_t most = 2048;
  const dim3 grid(FeatureBlocks(s.d), static_cast<unsigned>(s.tokens < most ? s.tokens : most));
  cudaFuncSetAttribute(RowsKernel<T>, cudaFuncAttributeMaxDynamicSharedMemorySize, shared);
  RowsKernel<T><<<grid, kThreads, shared, place.stream>>>(call);
}

}  // namespace

int64_t EmbeddingWorkspace(const EmbeddingShape& s) {
  return s.tokens * s.d + kMostChunks * PartialStride(s);
}

template <typename T>
Outcome Launch(const EmbeddingForward<T>& call, Gpu place) {
  if (Outcome fits = CheckEmbedding(call); !fits.ok()) return fits;
  StartForward<T>(call, place);
  return Launched("embedding forward", cudaGetLastError());
}

template <typename T>
Outcome Launch(const EmbeddingBackward<T>& call, Gpu place) {
  if (Outcome fits = CheckEmbedding(call); !fits.ok()) return fits;
  const EmbeddingShape& s = call.shape;
  const Outcome room = Contract("embedding backward")
                           .Aligned("workspace", call.workspace, kVectorBytes)
                           .Require(call.workspace_size >= EmbeddingWorkspace(s),
                                    "workspace_size must be at least EmbeddingWorkspace(shape)")
                           .outcome();
  if (!room.ok()) return room;
  const unsigned across = FeatureBlocks(s.d);
  StartRows(call, place);
  if (s.taps > 0) StartTaps(call, place);
  constexpr int64_t kMostRows = 32768;
  const int64_t down = s.tokens < kMostRows ? s.tokens : kMostRows;
  const dim3 grid(across, static_cast<unsigned>(down),
                  static_cast<unsigned>((s.tokens + down - 1) / down));
  ScatterKernel<T><<<grid, kThreads, 0, place.stream>>>(call);
  return Launched("embedding backward", cudaGetLastError());
}

template Outcome Launch(const EmbeddingForward<float>&, Gpu);
template Outcome Launch(const EmbeddingForward<Bf16>&, Gpu);
template Outcome Launch(const EmbeddingBackward<float>&, Gpu);
template Outcome Launch(const EmbeddingBackward<Bf16>&, Gpu);

}  // namespace ddl::kernels
