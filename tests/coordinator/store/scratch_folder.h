// A folder of its own for one test, removed with all that is in it.
#pragma once

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

#include "common/check.h"
#include "common/files.h"

namespace ddl {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::array<char, 64> name = {"/tmp/ddl-test-XXXXXX"};
    DDL_CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name.data();
  }
  ~ScratchFolder() { RemoveTree(path_).IgnoreError(); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace ddl
