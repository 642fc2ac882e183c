// Where a spec's sequences come from: a folder, or a synthetic environment with its own rules.
// Part of ResolveSpec (common/spec_rules.h). Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/synthetic_task.h"
#include "proto/ddl/v1/spec.pb.h"

namespace ddl {

// The synthetic data of a resolved spec; nullopt when it trains on a folder.
std::optional<SyntheticTask> SyntheticTaskOf(const v1::ExperimentSpec& spec);

// Reports `rule` of the keys at `paths` unless it holds or one of them is bad already.
using RequireRule =
    std::function<void(bool holds, const std::vector<std::string>& paths, const std::string& rule)>;

// Requires data.path of a spec whose defaults are filled in; for synthetic data fills in
// data.path, data.manifest_sha256 and model.vocab_size where they are absent, and checks all keys
// that decide the data. The manifest's digest is that of SyntheticManifest.
void ResolveDataSource(v1::ExperimentSpec* spec, const RequireRule& require);

}  // namespace ddl
