// A fresh folder that goes with the test.
#pragma once

#include <cstdlib>
#include <string>

#include "common/check.h"
#include "common/files.h"

namespace ddl {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = "/tmp/ddl-agent-test-XXXXXX";
    DDL_CHECK(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    if (!RemoveTree(path_).ok()) return;  // It stays for a person to look at.
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace ddl
