#include "worker/train/golden/golden_muon.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/optim/muon.h"

namespace ddl {
namespace {

constexpr double kTolerance = 5e-2;  // bf16 inside.
constexpr int64_t kUpdates = 3;

struct Settings {
  MuonConfig muon;
  double rate = 0;
};

absl::StatusOr<Settings> ReadSettings(const GoldenFile& file) {
  Settings settings;
  DDL_ASSIGN_OR_RETURN(settings.muon.momentum, file.Real("momentum"));
  DDL_ASSIGN_OR_RETURN(settings.muon.nesterov, file.Flag("nesterov"));
  DDL_ASSIGN_OR_RETURN(settings.muon.polar_steps, file.Count("steps", kPolarSteps));
  DDL_ASSIGN_OR_RETURN(settings.rate, file.Real("lr"));
  return settings;
}

// The tensors of one matrix; every one of them has its counterpart.
std::vector<std::string> KeysOf(int64_t matrix) {
  std::vector<std::string> keys = {absl::StrCat("in/", matrix),
                                   absl::StrCat("polar_bf16/", matrix)};
  for (int64_t step = 0; step <= kUpdates; ++step) {
    keys.push_back(absl::StrCat("param", step, "/", matrix));
    if (step < kUpdates) keys.push_back(absl::StrCat("grad/", matrix, "/", step));
  }
  return keys;
}

absl::Status CheckMatrix(const GoldenFile& file, int64_t matrix, std::set<std::string>* known) {
  const std::string first = absl::StrCat("in/", matrix);
  const at::Tensor& input = file.tensors.at(first);
  DDL_RETURN_IF_ERROR(CheckMuonShape(first, input.sizes()));
  for (const std::string& key : KeysOf(matrix)) {
    known->insert(key);
    DDL_ASSIGN_OR_RETURN(const at::Tensor tensor, file.Tensor(key, input.sizes()));
    if (tensor.scalar_type() != at::kFloat) {
      return absl::InvalidArgumentError(absl::StrCat(key, " must be of type F32"));
    }
  }
  return absl::OkStatus();
}

void RunMatrix(const GoldenFile& file, int64_t matrix, const Settings& settings,
               GroupErrors* errors) {
  const auto at = [&](const std::string& name) { return file.tensors.at(name); };
  const std::string polar = absl::StrCat("polar_bf16/", matrix);
  errors->Add("polar", kTolerance, polar,
              NormError(PolarExpress(at(absl::StrCat("in/", matrix)), settings.muon.polar_steps),
                        at(polar)));
  at::Tensor weight = at(absl::StrCat("param0/", matrix)).clone();
  const at::Tensor momentum = at::zeros_like(weight);
  for (int64_t step = 0; step < kUpdates; ++step) {
    const at::Tensor before = weight.clone();
    MuonStep(settings.muon, settings.rate, at(absl::StrCat("grad/", matrix, "/", step)), momentum,
             weight);
    const std::string name = absl::StrCat("param", step + 1, "/", matrix);
    errors->Add(
        "update", kTolerance, name,
        NormError(weight - before, at(name) - at(absl::StrCat("param", step, "/", matrix))));
  }
}

}  // namespace

bool IsGoldenMuon(const GoldenFile& file) {
  return !file.Has("variant") && file.tensors.count("in/0") > 0;
}

absl::StatusOr<std::vector<GroupError>> RunGoldenMuon(const GoldenFile& file) {
  DDL_ASSIGN_OR_RETURN(const Settings settings, ReadSettings(file));
  int64_t matrices = 0;
  std::set<std::string> known;
  while (file.tensors.count(absl::StrCat("in/", matrices)) > 0) {
    DDL_RETURN_IF_ERROR(CheckMatrix(file, matrices, &known));
    ++matrices;
  }
  for (const auto& [name, tensor] : file.tensors) {
    if (known.count(name) > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(name, " has no counterpart in ", matrices,
                                                   " matrices with ", kUpdates, " steps"));
  }
  GroupErrors errors;
  for (int64_t matrix = 0; matrix < matrices; ++matrix) {
    RunMatrix(file, matrix, settings, &errors);
  }
  return errors.all();
}

}  // namespace ddl
