#include "worker/train/evaluate.h"

#include <ATen/core/grad_mode.h>

#include "common/status.h"
#include "common/synthetic_sequence.h"

namespace ddl {
namespace {

// Sums over batches, all float64.
struct Sums {
  at::Tensor loss;      // Scalar.
  at::Tensor right;     // By position (T), or one number for all.
  at::Tensor answered;  // As `right`.
};

void AddBatch(const Transformer& model, const Batch& batch, bool by_position, Sums* sums) {
  const at::Tensor indices = batch.indices.to(model.device());
  const at::Tensor targets = batch.targets.to(model.device());
  const at::Tensor logits = model.Logits(indices);
  sums->loss.add_(Transformer::LossSum(logits, targets).to(at::kDouble));
  const at::Tensor right = logits.argmax(-1).eq(targets).to(at::kDouble);
  const at::Tensor answered = targets.ne(kNoAnswer).to(at::kDouble);
  sums->right.add_(by_position ? right.sum(0) : right.sum());
  sums->answered.add_(by_position ? answered.sum(0) : answered.sum());
}

}  // namespace

absl::StatusOr<Validation> Validate(const Transformer& model, const SequenceSource& data,
                                    Collective* collective) {
  const at::NoGradGuard no_grad;
  const bool by_position = data.ValByPosition();
  const int64_t places = by_position ? data.ValBatch(0).targets.size(1) : 1;
  at::Tensor all =
      at::zeros({1 + 2 * places}, at::TensorOptions().dtype(at::kDouble).device(model.device()));
  Sums sums{all.narrow(0, 0, 1), all.narrow(0, 1, places), all.narrow(0, 1 + places, places)};
  for (int64_t batch = collective->rank(); batch < data.ValBatches(); batch += collective->size()) {
    AddBatch(model, data.ValBatch(batch), by_position, &sums);
  }
  DDL_RETURN_IF_ERROR(collective->Sum(all));
  all = all.to(at::kCPU);
  const at::Tensor right = all.narrow(0, 1, places);
  const at::Tensor answered = all.narrow(0, 1 + places, places);
  const auto answers = answered.sum().item<double>();
  Validation validation{.loss = all[0].item<double>() / answers,
                        .accuracy = right.sum().item<double>() / answers,
                        .answers = static_cast<int64_t>(answers)};
  for (int64_t place = 0; by_position && place < places; ++place) {
    const auto count = answered[place].item<double>();
    if (count > 0) {
      validation.by_position.push_back({place, right[place].item<double>() / count});
    }
  }
  return validation;
}

}  // namespace ddl
