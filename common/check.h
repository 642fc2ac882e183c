// Assertions about this program's own correctness, in every build type. What users, files and peers
// can get wrong is an absl::Status instead.
#pragma once

#include <cstdio>
#include <cstdlib>

// Prints file, line and the condition, then aborts, unless `condition` holds.
#define DDL_CHECK(condition)                                                                 \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
