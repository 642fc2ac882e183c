#include "worker/agent/nvml.h"

#include <dlfcn.h>

#include <array>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace ddl::agent {

namespace {

// Of nvml.h, whose numbers NVIDIA keeps stable.
constexpr int kSuccess = 0;
constexpr int kSensorGpu = 0;
constexpr int kClockSm = 1;
constexpr int kEccCorrected = 0;
constexpr int kEccUncorrected = 1;
constexpr int kEccSinceDriverLoad = 0;

}  // namespace

struct Nvml::Functions {
  // Of nvml.h, whose layouts NVIDIA keeps stable.
  using Result = int;
  using Device = void*;
  struct Memory {
    unsigned long long total, free, used;
  };
  struct Utilization {
    unsigned int gpu, memory;  // Percent.
  };

  void* library = nullptr;
  Result (*init)() = nullptr;
  Result (*shutdown)() = nullptr;
  Result (*count)(unsigned int*) = nullptr;
  Result (*handle)(unsigned int, Device*) = nullptr;
  Result (*uuid)(Device, char*, unsigned int) = nullptr;
  Result (*name)(Device, char*, unsigned int) = nullptr;
  Result (*driver)(char*, unsigned int) = nullptr;
  Result (*memory)(Device, Memory*) = nullptr;
  Result (*utilization)(Device, Utilization*) = nullptr;
  Result (*power)(Device, unsigned int*) = nullptr;
  Result (*temperature)(Device, int, unsigned int*) = nullptr;
  Result (*clock)(Device, int, unsigned int*) = nullptr;
  Result (*energy)(Device, unsigned long long*) = nullptr;
  Result (*ecc)(Device, int, int, unsigned long long*) = nullptr;

  template <typename Function>
  absl::Status Load(const char* symbol, Function* function) {
    *function = reinterpret_cast<Function>(dlsym(library, symbol));
    if (*function != nullptr) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat("NVML has no ", symbol));
  }
  absl::Status LoadAll() {
    DDL_RETURN_IF_ERROR(Load("nvmlInit_v2", &init));
    DDL_RETURN_IF_ERROR(Load("nvmlShutdown", &shutdown));
    DDL_RETURN_IF_ERROR(Load("nvmlDeviceGetCount_v2", &count));
    DDL_RETURN_IF_ERROR(Load("nvmlDeviceGetHandleByIndex_v2", &handle));
    DDL_RETURN_IF_ERROR(Load("nvmlDeviceGetUUID", &uuid));
    DDL_RETURN_IF_ERROR(Load("nvmlDeviceGetName", &name));
    DDL_RETURN_IF_ERROR(Load("nvmlSystemGetDriverVersion", &driver));
    DDL_RETURN_IF_ERROR(Load("nvmlDeviceGetMemoryInfo", &memory));
    DDL_RETURN_IF_ERROR(Load("nvmlDeviceGetUtilizationRates", &utilization));
    DDL_RETURN_IF_ERROR(Load("nvmlDeviceGetPowerUsage", &power));
    DDL_RETURN_IF_ERROR(Load("nvmlDeviceGetTemperature", &temperature));
    DDL_RETURN_IF_ERROR(Load("nvmlDeviceGetClockInfo", &clock));
    DDL_RETURN_IF_ERROR(Load("nvmlDeviceGetTotalEnergyConsumption", &energy));
    return Load("nvmlDeviceGetTotalEccErrors", &ecc);
  }
};

Nvml::Nvml() : functions_(std::make_unique<Functions>()) {}

Nvml::~Nvml() {
  if (!devices_.empty()) functions_->shutdown();
  if (functions_->library != nullptr) dlclose(functions_->library);
}

absl::StatusOr<std::unique_ptr<Nvml>> Nvml::Open(const std::string& library) {
  std::unique_ptr<Nvml> nvml(new Nvml());
  nvml->functions_->library = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (nvml->functions_->library == nullptr) return absl::NotFoundError(dlerror());
  DDL_RETURN_IF_ERROR(nvml->functions_->LoadAll());
  DDL_RETURN_IF_ERROR(nvml->List());
  return nvml;
}

absl::Status Nvml::List() {
  if (const Functions::Result result = functions_->init(); result != kSuccess) {
    return absl::UnavailableError(absl::StrCat("NVML does not start: error ", result));
  }
  std::array<char, 96> driver{};
  functions_->driver(driver.data(), driver.size());
  unsigned int count = 0;
  functions_->count(&count);
  for (unsigned int i = 0; i < count; ++i) {
    Functions::Device device = nullptr;
    if (functions_->handle(i, &device) != kSuccess) {
      return absl::UnavailableError(absl::StrCat("NVML does not show GPU ", i));
    }
    std::array<char, 96> uuid{};
    std::array<char, 96> name{};
    Functions::Memory memory{};
    functions_->uuid(device, uuid.data(), uuid.size());
    functions_->name(device, name.data(), name.size());
    functions_->memory(device, &memory);
    devices_.push_back(device);
    gpus_.push_back({uuid.data(), name.data(), driver.data(), memory.total});
  }
  if (devices_.empty()) functions_->shutdown();
  return absl::OkStatus();
}

GpuReading Nvml::Read(size_t index) const {
  const Functions& nvml = *functions_;
  const Functions::Device device = devices_[index];
  GpuReading reading;
  Functions::Utilization utilization{};
  if (nvml.utilization(device, &utilization) == kSuccess) {
    reading.utilization_ratio = utilization.gpu / 100.0;
  }
  Functions::Memory memory{};
  if (nvml.memory(device, &memory) == kSuccess) reading.memory_used_bytes = memory.used;
  unsigned int value = 0;
  if (nvml.power(device, &value) == kSuccess) reading.power_watts = value / 1000.0;
  if (nvml.temperature(device, kSensorGpu, &value) == kSuccess) reading.temperature_celsius = value;
  if (nvml.clock(device, kClockSm, &value) == kSuccess) reading.sm_clock_hertz = value * 1e6;
  unsigned long long count = 0;
  if (nvml.energy(device, &count) == kSuccess) {
    reading.energy_joules = static_cast<double>(count) / 1000.0;
  }
  if (nvml.ecc(device, kEccCorrected, kEccSinceDriverLoad, &count) == kSuccess) {
    reading.ecc_corrected = count;
  }
  if (nvml.ecc(device, kEccUncorrected, kEccSinceDriverLoad, &count) == kSuccess) {
    reading.ecc_uncorrected = count;
  }
  return reading;
}

}  // namespace ddl::agent
