#include "tests/worker/model/flop_counter.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace ddl {
namespace {

struct Counting {
  std::mutex lock;
  CountedFlops flops;
};
Counting& Now() {
  static Counting counting;
  return counting;
}

using Inputs = c10::ArrayRef<const c10::IValue>;
using Rule = std::function<double(Inputs inputs, const std::vector<c10::IValue>& outputs)>;

double Numel(const c10::IValue& value) {
  if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    return tensor.defined() ? static_cast<double>(tensor.numel()) : 0;
  }
  return 0;
}

// 2 m k n of (.., m, k) times (.., k, n).
double Product(const c10::IValue& left, const c10::IValue& right) {
  const at::Tensor& columns = right.toTensor();
  return 2 * Numel(left) * static_cast<double>(columns.dim() == 1 ? 1 : columns.size(-1));
}

// Scores and averages of causal attention of q (B,H,T,D): 4 B H D T (T + 1) / 2.
double AttentionFlops(const c10::IValue& query) {
  const auto tokens = static_cast<double>(query.toTensor().size(2));
  return 4 * Numel(query) * (tokens + 1) / 2;
}

// One number of arithmetic for each number of the result.
constexpr absl::string_view kElementwise =
    "add add_ sub sub_ mul mul_ div div_ neg abs sgn pow square reciprocal rsqrt sqrt relu silu "
    "silu_backward sigmoid sigmoid_backward tanh tanh_backward threshold_backward clamp_min where "
    "ge "
    "gt logical_and rsub embedding_dense_backward";
// Moves, views, allocations, and operations whose parts are counted.
constexpr absl::string_view kFree =
    "linear matmul rms_norm scaled_dot_product_attention cross_entropy_loss log_softmax nll_loss "
    "nll_loss_nd nll_loss_forward nll_loss_backward embedding embedding_backward index_select view "
    "reshape _reshape_alias _unsafe_view expand expand_as transpose t permute narrow slice "
    "slice_backward select select_backward squeeze unsqueeze cat stack flatten unflatten "
    "constant_pad_nd pad clone contiguous copy_ to _to_copy detach detach_ alias zero_ zeros "
    "zeros_like new_zeros new_empty new_empty_strided empty empty_like empty_strided ones_like "
    "ones "
    "fill_ full full_like as_strided resolve_conj resolve_neg result_type item "
    "_local_scalar_dense is_nonzero repeat_interleave view_as sum_to_size _fused_sdp_choice chunk "
    "split split_with_sizes conj arange resize_ scalar_tensor lift_fresh set_ can_cast";

void AddAll(absl::string_view names, const Rule& rule, std::map<std::string, Rule>* table) {
  for (const absl::string_view name : absl::StrSplit(names, ' ')) {
    table->emplace(absl::StrCat("aten::", name), rule);
  }
}

double ProductRule(Inputs in, const std::vector<c10::IValue>& /*out*/) {
  return Product(in[0], in[1]);
}
double SumAndProductRule(Inputs in, const std::vector<c10::IValue>& out) {
  return Product(in[1], in[2]) + Numel(out[0]);
}
double AttentionRule(Inputs in, const std::vector<c10::IValue>& /*out*/) {
  return AttentionFlops(in[0]);
}
double AttentionBackwardRule(Inputs in, const std::vector<c10::IValue>& /*out*/) {
  return 2 * AttentionFlops(in[1]);
}
// `each` operations for each number of the result, or of the input.
Rule OfResult(double each) {
  return [each](Inputs, const std::vector<c10::IValue>& out) {
    return out.empty() ? 0 : each * Numel(out[0]);
  };
}
Rule OfInput(double each) {
  return [each](Inputs in, const std::vector<c10::IValue>&) { return each * Numel(in[0]); };
}

std::map<std::string, Rule> MakeTable() {
  std::map<std::string, Rule> table;
  AddAll("mm bmm mv dot", &ProductRule, &table);
  AddAll("addmm addmv baddbmm", &SumAndProductRule, &table);
  AddAll("_scaled_dot_product_flash_attention_for_cpu", &AttentionRule, &table);
  AddAll("_scaled_dot_product_flash_attention_for_cpu_backward", &AttentionBackwardRule, &table);
  AddAll("addcmul addcmul_", OfResult(2), &table);
  AddAll(kElementwise, OfResult(1), &table);
  AddAll("sum mean", OfInput(1), &table);
  AddAll("_log_softmax _log_softmax_backward_data _fused_rms_norm", OfInput(4), &table);
  AddAll("_fused_rms_norm_backward", OfInput(8), &table);
  AddAll(kFree, OfResult(0), &table);
  return table;
}

// Inputs can be read when an operation starts, outputs when it ends.
struct Held final : public at::ObserverContext {
  std::vector<c10::IValue> inputs;
};

std::unique_ptr<at::ObserverContext> OnStart(const at::RecordFunction& function) {
  auto held = std::make_unique<Held>();
  held->inputs.assign(function.inputs().begin(), function.inputs().end());
  return held;
}

void OnEnd(const at::RecordFunction& function, at::ObserverContext* context) {
  static const auto* const table = new std::map<std::string, Rule>(MakeTable());
  const std::string name = function.name();
  if (name.compare(0, 6, "aten::") != 0) return;  // A node of autograd; its operations follow.
  Counting& counting = Now();
  const std::lock_guard<std::mutex> locked(counting.lock);
  const auto rule = table->find(name);
  if (rule == table->end()) {
    counting.flops.unknown.insert(name);
    return;
  }
  const std::vector<c10::IValue>& held = static_cast<const Held*>(context)->inputs;
  const Inputs inputs(held.data(), held.size());
  const double flops = rule->second(inputs, function.outputs());
  counting.flops.total += flops;
  counting.flops.by_operation[name] += flops;
}

}  // namespace

FlopCounter::FlopCounter() {
  Now().flops = {};
  handle_ = at::addGlobalCallback(at::RecordFunctionCallback(&OnStart, &OnEnd)
                                      .needsInputs(true)
                                      .needsOutputs(true)
                                      .scopes({at::RecordScope::FUNCTION}));
}

FlopCounter::~FlopCounter() {
  if (handle_ != 0) at::removeCallback(handle_);
}

CountedFlops FlopCounter::Stop() {
  at::removeCallback(std::exchange(handle_, 0));
  return std::move(Now().flops);
}

}  // namespace ddl
