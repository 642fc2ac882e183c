#include "worker/data/batch_loader.h"

#include <chrono>
#include <filesystem>
#include <iterator>
#include <thread>

#include "tests/common/scratch_folder.h"
#include "tests/worker/text_fixture.h"
#include "tests/worker/torch_test.h"
#include "worker/data/text_source.h"

namespace ddl {
namespace {

TextSource OpenText(const std::string& folder) {
  WriteText(folder);
  auto text = OpenTrainingText({.folder = folder, .vocab_size = 300, .sequence_tokens = 16});
  REQUIRE(text.ok());
  return {*std::move(text), {.seed = 7, .sequence_tokens = 16, .val_tokens = 16}};
}

// Sequences of steps first .. first + steps - 1 in the order of samples, over all ranks.
at::Tensor Sequences(const SequenceSource& data, BatchPlan plan, int64_t first, int64_t steps) {
  std::vector<at::Tensor> rows;
  for (int64_t step = first; step < first + steps; ++step) {
    for (plan.rank = 0; plan.rank < plan.ranks; ++plan.rank) {
      BatchLoader loader(&data, plan, step);
      for (int64_t i = 0; i < plan.MicroBatches(); ++i) rows.push_back(loader.Next().indices);
    }
  }
  return at::cat(rows);
}

TEST_CASE("What a step sees does not depend on ranks, micro-batches or where a run resumed") {
  const ScratchFolder folder;
  const TextSource text = OpenText(folder.path());
  const at::Tensor want = Sequences(text, {.sequences = 12, .micro_sequences = 12}, 0, 5);
  REQUIRE(want.size(0) == 60);
  for (const int64_t ranks : {1, 2, 3, 4}) {
    for (const int64_t micro : {1, 2, 5}) {
      const BatchPlan plan{.sequences = 12, .micro_sequences = micro, .ranks = ranks};
      INFO(ranks << " ranks, micro-batches of " << micro);
      CHECK(at::equal(Sequences(text, plan, 0, 5), want));
      CHECK(at::equal(Sequences(text, plan, 3, 2), want.narrow(0, 36, 24)));
    }
  }
}

TEST_CASE("A step counts the answers of all its sequences over all ranks") {
  const ScratchFolder folder;
  const TextSource text = OpenText(folder.path());
  const BatchPlan plan{.sequences = 6, .micro_sequences = 1, .ranks = 2, .rank = 1};
  CHECK(BatchLoader(&text, plan, 0).StepAnswers() == 6 * 16);
}

// Of this process, as the kernel counts them. A joined thread leaves /proc a moment later.
std::ptrdiff_t Threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

TEST_CASE("A loader that is not read from ends with its thread, and so does one that was") {
  const ScratchFolder folder;
  const TextSource text = OpenText(folder.path());
  const BatchPlan plan{.sequences = 4, .micro_sequences = 1};
  const std::ptrdiff_t before = Threads();
  for (const size_t reads : {size_t{0}, BatchLoader::kQueueBatches + 1}) {
    INFO(reads << " batches read");
    {
      BatchLoader loader(&text, plan, 0);
      CHECK(Threads() == before + 1);
      for (size_t i = 0; i < reads; ++i) loader.Next();
    }
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (Threads() != before && std::chrono::steady_clock::now() < limit) {
      std::this_thread::yield();
    }
    CHECK(Threads() == before);
  }
}

}  // namespace
}  // namespace ddl
