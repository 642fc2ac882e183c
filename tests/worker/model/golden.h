// The authors' numbers: files that their own code wrote. The full set is looked for in the folder
// that DDL_GOLDEN_DIR names, or ../shared/golden beside the checkout; three are committed under
// tests/golden.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "worker/model/model_config.h"

namespace ddl {

struct Golden {
  std::string name;
  std::map<std::string, std::string> metadata;
  std::map<std::string, at::Tensor> tensors;

  const at::Tensor& operator[](const std::string& key) const { return tensors.at(key); }
  ModelConfig Config() const;  // From the metadata and the shapes.
};

// nullopt where the file is in neither place.
std::optional<Golden> ReadGolden(const std::string& name);

// max|a - b| / max|b|.
double MaxError(const at::Tensor& got, const at::Tensor& want);

}  // namespace ddl
