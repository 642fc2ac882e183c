#include "common/trace.h"

#include "absl/strings/str_cat.h"
#include "common/digest.h"

namespace ddl {

std::string AttemptTrace(absl::string_view run, uint64_t epoch) {
  return Sha256Hex(absl::StrCat(run, "/e", epoch)).substr(0, 32);
}

}  // namespace ddl
