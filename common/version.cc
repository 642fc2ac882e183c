#include "common/version.h"

#include "absl/strings/str_cat.h"

namespace ddl {

absl::string_view Version() { return DDL_VERSION; }

absl::string_view Revision() {
  constexpr absl::string_view kRevision = DDL_REVISION;
  return kRevision.empty() ? "unknown" : kRevision;
}

std::string VersionLine() {
  return absl::StrCat(Version(), " (revision ", Revision(), ", api ", kApiVersion, ")");
}

}  // namespace ddl
