// Which build this is, and which version of the protocol it speaks.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace ddl {

// Of proto/ddl/v1. A client refuses a server with a higher one, and a server such a client.
inline constexpr uint32_t kApiVersion = 1;

absl::string_view Version();   // "0.1.0".
absl::string_view Revision();  // Commit of the build, or "unknown".
std::string VersionLine();     // "0.1.0 (revision 1a2b3c4, api 1)".

}  // namespace ddl
