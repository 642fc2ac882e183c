#include "common/spec_places.h"

namespace ddl {

std::vector<std::string> ParentsOf(const std::string& path) {
  std::vector<std::string> parents;
  for (size_t dot = path.rfind('.'); dot != std::string::npos; dot = path.rfind('.', dot - 1)) {
    parents.push_back(path.substr(0, dot));
    if (dot == 0) break;
  }
  return parents;
}

void AddViolation(const SpecViolation& violation, const FilledKeys& filled, const Place& whole,
                  ConfigErrors* errors) {
  for (const std::string& path : violation.paths) {
    if (filled.failed.count(path) > 0) return;
    for (const std::string& parent : ParentsOf(path)) {
      if (filled.failed.count(parent) > 0) return;
    }
  }
  for (const std::string& path : violation.paths) {
    const auto place = filled.places.find(path);
    if (place == filled.places.end()) continue;
    errors->Add(place->second, path, violation.rule);
    return;
  }
  const std::string& path = violation.paths.front();
  for (const std::string& parent : ParentsOf(path)) {
    const auto place = filled.places.find(parent);
    if (place == filled.places.end()) continue;
    errors->Add(place->second, path, violation.rule);
    return;
  }
  errors->Add({whole.source, 0, 0}, path, violation.rule);
}

}  // namespace ddl
