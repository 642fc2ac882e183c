#include "common/series.h"

#include "absl/strings/str_cat.h"

namespace ddl::series {

std::string Key(absl::string_view name, const Labels& labels) {
  std::string key(name);
  for (const std::string* label :
       {&labels.layer, &labels.sublayer, &labels.bucket, &labels.phase}) {
    if (!label->empty()) absl::StrAppend(&key, "/", *label);
  }
  return key;
}

}  // namespace ddl::series
