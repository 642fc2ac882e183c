#include "worker/train/device_peak.h"

#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

TEST_CASE("A GPU's peak is that of its data sheet, and what is not listed has none") {
  // Names as the CUDA runtime gives them; numbers without sparsity.
  CHECK(PeakFlopsPerSecond("NVIDIA H100 80GB HBM3") == 989e12);
  CHECK(PeakFlopsPerSecond("NVIDIA H200") == 989e12);
  CHECK(PeakFlopsPerSecond("NVIDIA H100 PCIe") == 756e12);
  CHECK(PeakFlopsPerSecond("NVIDIA A100-SXM4-80GB") == 312e12);
  CHECK(PeakFlopsPerSecond("NVIDIA GeForce RTX 4090") == std::nullopt);
  CHECK(PeakFlopsPerSecond("Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz") == std::nullopt);
}

}  // namespace
}  // namespace ddl
