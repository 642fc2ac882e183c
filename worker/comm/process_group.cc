#include "worker/comm/process_group.h"

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "worker/comm/listen.h"

namespace ddl {
namespace {

std::chrono::milliseconds Milliseconds(absl::Duration duration) {
  return std::chrono::milliseconds(absl::ToInt64Milliseconds(duration));
}

// The first line of what LibTorch says; stacks follow it.
absl::Status Unavailable(absl::string_view what, const std::exception& error) {
  const std::string text = error.what();
  return absl::UnavailableError(absl::StrCat(what, ": ", text.substr(0, text.find('\n'))));
}

c10::intrusive_ptr<c10d::Backend> MakeBackend(const c10::intrusive_ptr<c10d::Store>& store,
                                              const Rendezvous& rendezvous) {
  const int rank = static_cast<int>(rendezvous.rank);
  const int size = static_cast<int>(rendezvous.size);
#ifdef USE_C10D_NCCL
  if (rendezvous.device.is_cuda()) {
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = Milliseconds(rendezvous.step_timeout);
    return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, std::move(options));
  }
#endif
  auto options = c10d::ProcessGroupGloo::Options::create(Milliseconds(rendezvous.step_timeout));
  // Never the default device: it would bind to whatever this host's name resolves to.
  options->devices = {c10d::ProcessGroupGloo::createDeviceForHostname(rendezvous.bind_address)};
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, std::move(options));
}

class ProcessGroup final : public Collective {
 public:
  ProcessGroup(c10::intrusive_ptr<c10d::Store> store, c10::intrusive_ptr<c10d::Backend> backend)
      : store_(std::move(store)), backend_(std::move(backend)) {}

  int64_t rank() const override { return backend_->getRank(); }
  int64_t size() const override { return backend_->getSize(); }

  absl::Status Sum(at::Tensor& tensor) override {
    try {
      std::vector<at::Tensor> tensors = {tensor};
      backend_->allreduce(tensors)->wait();
      return absl::OkStatus();
    } catch (const std::exception& error) {
      return Unavailable("a peer is lost", error);
    }
  }

 private:
  c10::intrusive_ptr<c10d::Store> store_;  // Outlives the backend that meets through it.
  c10::intrusive_ptr<c10d::Backend> backend_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Collective>> JoinProcessGroup(const Rendezvous& rendezvous) {
  c10d::TCPStoreOptions options;
  options.port = rendezvous.port;
  options.isServer = rendezvous.rank == 0;
  options.numWorkers = static_cast<size_t>(rendezvous.size);
  options.timeout = Milliseconds(rendezvous.join_timeout);
  if (options.isServer) {
    const absl::StatusOr<int> listening = Listen(rendezvous.host, rendezvous.port);
    if (!listening.ok()) return listening.status();
    options.masterListenFd = *listening;  // The store closes it.
  }
  try {
    const auto server = c10::make_intrusive<c10d::TCPStore>(rendezvous.host, options);
    const auto store =
        c10::make_intrusive<c10d::PrefixStore>(absl::StrCat("epoch-", rendezvous.epoch), server);
    return std::make_unique<ProcessGroup>(store, MakeBackend(store, rendezvous));
  } catch (const std::exception& error) {
    return Unavailable(absl::StrCat("cannot meet ", rendezvous.size - 1, " other ranks at ",
                                    rendezvous.host, ":", rendezvous.port),
                       error);
  }
}

}  // namespace ddl
