// Macros and one function that carry absl::Status upwards; Debian's abseil has none of them.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

// Evaluates `expression` (an absl::Status) once and returns it unless it is OK.
#define DDL_RETURN_IF_ERROR(expression)                             \
  do {                                                              \
    if (absl::Status ddl_status = (expression); !ddl_status.ok()) { \
      return ddl_status;                                            \
    }                                                               \
  } while (false)

// Declares or assigns `target` from the StatusOr `expression`, or returns its status. It expands to
// several statements, so it needs braces around it.
#define DDL_ASSIGN_OR_RETURN(target, expression) \
  DDL_ASSIGN_STEP_(DDL_JOIN_(ddl_value_, __LINE__), target, expression)
#define DDL_ASSIGN_STEP_(value, target, expression)  \
  auto value = (expression);                         \
  if (!value.ok()) return std::move(value).status(); \
  target = *std::move(value)
#define DDL_JOIN_(a, b) DDL_JOIN_STEP_(a, b)
#define DDL_JOIN_STEP_(a, b) a##b

namespace ddl {

// `status` with "context: " before its message, for a caller that knows more than the callee did.
inline absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  return {status.code(), absl::StrCat(context, ": ", status.message())};
}

}  // namespace ddl
