// What LibTorch's tensors hold on the CPU at most, while one of these lives.
#pragma once

#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>

namespace ddl {

// Stands in for the CPU's allocator; blocks that outlive it are freed all the same. One at a time.
class AllocatedPeak final : public c10::Allocator {
 public:
  AllocatedPeak() : usual_(c10::GetCPUAllocator()) {
    const std::lock_guard<std::mutex> locked(Blocks().lock);
    Blocks().before = Blocks().peak = Blocks().held;
    c10::SetCPUAllocator(this);
  }
  ~AllocatedPeak() override { c10::SetCPUAllocator(usual_); }
  AllocatedPeak(const AllocatedPeak&) = delete;
  AllocatedPeak& operator=(const AllocatedPeak&) = delete;

  // Of tensors that were made since this was.
  int64_t held_bytes() const { return Blocks().held - Blocks().before; }
  int64_t peak_bytes() const { return Blocks().peak - Blocks().before; }

  c10::DataPtr allocate(size_t bytes) override {
    constexpr size_t kAlignment = 64;
    const size_t whole = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    void* const block = whole == 0 ? nullptr : std::aligned_alloc(kAlignment, whole);
    if (whole > 0 && block == nullptr) throw std::bad_alloc();
    const std::lock_guard<std::mutex> locked(Blocks().lock);
    if (block != nullptr) Blocks().bytes[block] = static_cast<int64_t>(bytes);
    Blocks().held += static_cast<int64_t>(bytes);
    Blocks().peak = std::max(Blocks().peak, Blocks().held);
    return {block, block, &Free, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &Free; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

 private:
  struct Held {
    std::mutex lock;
    std::map<void*, int64_t> bytes;
    int64_t before = 0;
    int64_t held = 0;
    int64_t peak = 0;
  };
  static Held& Blocks() {
    static auto* const held = new Held;
    return *held;
  }
  static void Free(void* block) {
    if (block == nullptr) return;
    const std::lock_guard<std::mutex> locked(Blocks().lock);
    const auto found = Blocks().bytes.find(block);
    Blocks().held -= found->second;
    Blocks().bytes.erase(found);
    std::free(block);
  }

  c10::Allocator* usual_;
};

}  // namespace ddl
