#include "kernels/column_sums.h"
#include "kernels/rotary_pairs.h"

namespace ddl::kernels {
namespace {

// kTurns heads are read before any is computed, so that enough is on its way; the backward kernel
// has more warps instead.
constexpr int kThreads = 256;
constexpr int kBlocksEach = 8;

// Grid row 0 takes the queries, row 1 the keys.
struct Side {
  int64_t heads;
  int64_t offset;  // of its heads in a merged row
  const float* gain;
};
__device__ __forceinline__ Side SideOf(const RotaryShape<float>& s) {
  if (blockIdx.y == 0) return {s.query_heads, 0, s.query_gain};
  return {s.key_heads, s.query_heads * s.head_dim, s.key_gain};
}

// Rows of the grid's side, which warps take in turn: (token, head) without a division each.
struct Rows {
  __device__ explicit Rows(const RotaryShape<float>& s, int64_t heads)
      : heads_(static_cast<unsigned>(heads)),
        sequence_(static_cast<unsigned>(s.sequence)),
        count(static_cast<unsigned>(s.tokens * heads)) {}
  // A row that is there: lanes past the end go along and store nothing.
  __device__ __forceinline__ unsigned clamped(unsigned row) const {
    return row < count ? row : count - 1;
  }
  __device__ __forceinline__ unsigned token(unsigned row) const { return row / heads_; }
  __device__ __forceinline__ unsigned head(unsigned row) const { return row % heads_; }
  __device__ __forceinline__ int position(unsigned row) const {
    return static_cast<int>(row / heads_ % sequence_);
  }
  // Rows that all lanes of the grid's side take in one turn, and this lane's among them.
  template <int kLanes>
  __device__ __forceinline__ unsigned step() const {
    return gridDim.x * (kThreads / kLanes);
  }
  template <int kLanes>
  __device__ __forceinline__ unsigned first() const {
    return (blockIdx.x * kThreads + threadIdx.x) / kLanes;
  }

 private:
  unsigned heads_;
  unsigned sequence_;

 public:
  unsigned count;
};

template <typename T, int kLanes, int kGroups, int kPack, int kTurns>
__global__ void __launch_bounds__(kThreads)
    ForwardKernel(const __grid_constant__ RotaryForward<T> call) {
  constexpr int kEach = kGroups * kPack;
  using Pairs = HeadPairs<T, kLanes, kGroups, kPack>;
  const RotaryShape<float>& s = call.shape;
  const Side side = SideOf(s);
  T* out = blockIdx.y == 0 ? call.queries : call.keys;
  const Rows rows(s, side.heads);
  const unsigned step = rows.step<kLanes>();
  float gain_a[kEach];
  float gain_b[kEach];
  if (side.gain != nullptr) Pairs(s, 0, side.gain).Gains(gain_a, gain_b);
  for (unsigned base = 0; base < rows.count; base += kTurns * step) {
    float a[kTurns][kEach];
    float b[kTurns][kEach];
#pragma unroll
    for (int turn = 0; turn < kTurns; ++turn) {
      const unsigned row = rows.clamped(base + rows.first<kLanes>() + turn * step);
      Pairs(s, 0, nullptr)
          .Load(
              call.in + rows.token(row) * s.row_stride + side.offset + rows.head(row) * s.head_dim,
              a[turn], b[turn]);
    }
#pragma unroll
    for (int turn = 0; turn < kTurns; ++turn) {
      const unsigned row = base + rows.first<kLanes>() + turn * step;
      const Pairs pairs(s, rows.position(rows.clamped(row)), side.gain);
      const float r = pairs.normed() ? pairs.InverseRms(a[turn], b[turn]) : 1.0f;
      if (pairs.after()) pairs.Rotate(1.0f, a[turn], b[turn]);
      if (pairs.normed()) {
#pragma unroll
        for (int e = 0; e < kEach; ++e) {
          a[turn][e] *= r * gain_a[e];
          b[turn][e] *= r * gain_b[e];
        }
      }
      if (!pairs.after()) pairs.Rotate(1.0f, a[turn], b[turn]);
      if (row < rows.count) pairs.Store(a[turn], b[turn], out + int64_t{row} * s.head_dim);
    }
  }
}

// The norm's way back: dy becomes its input's gradient; adds to the gain's.
template <typename Pairs, int kEach>
__device__ __forceinline__ void NormBackward(const Pairs& pairs, float head_dim,
                                             const float (&a)[kEach], const float (&b)[kEach],
                                             float r, const float (&gain_a)[kEach],
                                             const float (&gain_b)[kEach], float (&da)[kEach],
                                             float (&db)[kEach], float (&sum_a)[kEach],
                                             float (&sum_b)[kEach]) {
  float along = 0.0f;
#pragma unroll
  for (int e = 0; e < kEach; ++e) {
    sum_a[e] += da[e] * a[e] * r;
    sum_b[e] += db[e] * b[e] * r;
    da[e] *= gain_a[e];
    db[e] *= gain_b[e];
    along += da[e] * a[e] + db[e] * b[e];
  }
  const float pull = r * r * pairs.Sum(along) / head_dim;
#pragma unroll
  for (int e = 0; e < kEach; ++e) {
    da[e] = r * (da[e] - a[e] * pull);
    db[e] = r * (db[e] - b[e] * pull);
  }
}

// The block's gain gradient: groups of lanes are added in their order.
template <int kLanes, int kPack, int kEach>
__device__ void LeaveGains(const RotaryShape<float>& s, const float (&sum_a)[kEach],
                           const float (&sum_b)[kEach], float* workspace) {
  extern __shared__ float gains[];
  float* to = workspace + (int64_t{blockIdx.y} * gridDim.x + blockIdx.x) * s.head_dim;
  for (int group = 0; group < kThreads / kLanes; ++group) {
    const bool mine = static_cast<int>(threadIdx.x) / kLanes == group;
#pragma unroll
    for (int e = 0; e < kEach; ++e) {
      const int lane = static_cast<int>(threadIdx.x) % kLanes;
      const int pair = (lane + e / kPack * kLanes) * kPack + e % kPack;
      if (!mine || pair >= s.head_dim / 2) continue;
      const Place place = PlaceOf(s, pair);
      gains[place.first] = sum_a[e] + (group == 0 ? 0.0f : gains[place.first]);
      gains[place.second] = sum_b[e] + (group == 0 ? 0.0f : gains[place.second]);
    }
    __syncthreads();
  }
  for (int i = threadIdx.x; i < s.head_dim; i += kThreads) to[i] = gains[i];
}

template <typename T, int kLanes, int kGroups, int kPack, int kTurns>
__global__ void __launch_bounds__(kThreads, kGroups == 1 ? 4 : 1)
    BackwardKernel(const __grid_constant__ RotaryBackward<T> call) {
  constexpr int kEach = kGroups * kPack;
  using Pairs = HeadPairs<T, kLanes, kGroups, kPack>;
  const RotaryShape<float>& s = call.shape;
  const Side side = SideOf(s);
  const T* d_out = blockIdx.y == 0 ? call.d_queries : call.d_keys;
  float sum_a[kEach] = {};
  float sum_b[kEach] = {};
  float gain_a[kEach];
  float gain_b[kEach];
  if (side.gain != nullptr) Pairs(s, 0, side.gain).Gains(gain_a, gain_b);
  const Rows rows(s, side.heads);
  const unsigned step = rows.step<kLanes>();
  for (unsigned base = 0; base < rows.count; base += kTurns * step) {
    float a[kTurns][kEach];
    float b[kTurns][kEach];
    float da[kTurns][kEach];
    float db[kTurns][kEach];
#pragma unroll
    for (int turn = 0; turn < kTurns; ++turn) {
      const unsigned row = base + rows.first<kLanes>() + turn * step;
      const unsigned there = rows.clamped(row);
      const Pairs pairs(s, 0, nullptr);
      pairs.Load(d_out + int64_t{there} * s.head_dim, da[turn], db[turn]);
      if (side.gain != nullptr) {
        pairs.Load(call.in + rows.token(there) * s.row_stride + side.offset +
                       rows.head(there) * s.head_dim,
                   a[turn], b[turn]);
      }
#pragma unroll
      for (int e = 0; row >= rows.count && e < kEach; ++e) da[turn][e] = db[turn][e] = 0.0f;
    }
#pragma unroll
    for (int turn = 0; turn < kTurns; ++turn) {
      const unsigned row = base + rows.first<kLanes>() + turn * step;
      const Pairs pairs(s, rows.position(rows.clamped(row)), side.gain);
      if (!pairs.after()) pairs.Rotate(-1.0f, da[turn], db[turn]);
      if (pairs.normed()) {
        const float r = pairs.InverseRms(a[turn], b[turn]);
        if (pairs.after()) pairs.Rotate(1.0f, a[turn], b[turn]);
        NormBackward(pairs, static_cast<float>(s.head_dim), a[turn], b[turn], r, gain_a, gain_b,
                     da[turn], db[turn], sum_a, sum_b);
      }
      if (pairs.after()) pairs.Rotate(-1.0f, da[turn], db[turn]);
      if (row >= rows.count) continue;
      pairs.Store(
          da[turn], db[turn],
          call.d_in + rows.token(row) * s.row_stride + side.offset + rows.head(row) * s.head_dim);
    }
  }
  if (side.gain != nullptr) LeaveGains<kLanes, kPack>(s, sum_a, sum_b, call.workspace);
}

int BlocksFor(int64_t rows) {
  const int64_t most = int64_t{MultiprocessorCount()} * kBlocksEach / 2;
  const int64_t needed = (rows + kThreads / kWarp - 1) / (kThreads / kWarp);
  return static_cast<int>(needed < most ? needed : most);
}

template <int kLanes, int kGroups, int kPack, int kTurns, typename T>
void Start(const RotaryForward<T>& call, Gpu place) {
  const dim3 grid(BlocksFor(call.shape.tokens * call.shape.query_heads), 2);
  ForwardKernel<T, kLanes, kGroups, kPack, kTurns><<<grid, kThreads, 0, place.stream>>>(call);
}

template <int kLanes, int kGroups, int kPack, int kTurns, typename T>
void Start(const RotaryBackward<T>& call, Gpu place) {
  const RotaryShape<float>& s = call.shape;
  const int blocks = BlocksFor(s.tokens * s.query_heads);
  const size_t shared = static_cast<size_t>(s.head_dim) * sizeof(float);
  BackwardKernel<T, kLanes, kGroups, kPack, 1>
      <<<dim3(blocks, 2), kThreads, shared, place.stream>>>(call);
  if (s.query_gain == nullptr) return;
  for (const bool query : {true, false}) {
    ColumnSums sums;
    sums.rows = blocks;
    sums.stride = s.head_dim;
    sums.from = call.workspace + (query ? 0 : blocks * s.head_dim);
    sums.Add(0, s.head_dim, query ? call.d_query_gain : call.d_key_gain);
    StartColumnSums(sums, place);
  }
}

// Groups of four pairs where every run of features begins on a multiple of four.
template <typename Call>
void StartFor(const Call& call, Gpu place) {
  const auto& s = call.shape;
  const int64_t pairs = s.head_dim / 2;
  if (s.head_dim % 8 == 0 && s.rotated % 8 == 0 && s.row_stride % 4 == 0 && pairs <= 4 * kWarp) {
    return pairs <= 2 * kWarp ? Start<16, 1, 4, 2>(call, place) : Start<32, 1, 4, 2>(call, place);
  }
  if (pairs <= kWarp) return Start<32, 1, 1, 1>(call, place);
  if (pairs <= 4 * kWarp) return Start<32, 4, 1, 1>(call, place);
  return Start<32, 16, 1, 1>(call, place);
}

}  // namespace

int64_t RotaryWorkspace(int64_t head_dim) {
  return int64_t{MultiprocessorCount()} * kBlocksEach * head_dim;
}

template <typename T>
Outcome Launch(const RotaryForward<T>& call, Gpu place) {
  if (Outcome fits = CheckRotary(call); !fits.ok()) return fits;
  StartFor(call, place);
  return Launched("rotary forward", cudaGetLastError());
}

template <typename T>
Outcome Launch(const RotaryBackward<T>& call, Gpu place) {
  if (Outcome fits = CheckRotary(call); !fits.ok()) return fits;
  if (call.shape.query_gain != nullptr) {
    const Outcome room = Contract("rotary backward")
                             .Aligned("workspace", call.workspace, kVectorBytes)
                             .Require(call.workspace_size >= RotaryWorkspace(call.shape.head_dim),
                                      "workspace_size must be at least RotaryWorkspace(head_dim)")
                             .outcome();
    if (!room.ok()) return room;
  }
  StartFor(call, place);
  return Launched("rotary backward", cudaGetLastError());
}

template Outcome Launch(const RotaryForward<float>&, Gpu);
template Outcome Launch(const RotaryForward<Bf16>&, Gpu);
template Outcome Launch(const RotaryBackward<float>&, Gpu);
template Outcome Launch(const RotaryBackward<Bf16>&, Gpu);

}  // namespace ddl::kernels
