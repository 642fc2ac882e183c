// A disk that is soon full: a tmpfs of 64 KiB, where this process may mount one (root).
#pragma once

#include <sys/mount.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <iostream>

#include "tests/common/scratch_folder.h"

namespace ddl {

inline constexpr size_t kSmallDiskBytes = 64 << 10;

class SmallDisk {
 public:
  SmallDisk() {
    mounted_ = mount("ddl-test", folder_.path().c_str(), "tmpfs", 0, "size=64k") == 0;
    if (!mounted_) {
      std::cout << "ddl test skipped: cannot mount a tmpfs: " << std::strerror(errno) << "\n";
    }
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  const ScratchFolder& folder() const { return folder_; }

 private:
  ScratchFolder folder_;
  bool mounted_ = false;
};

}  // namespace ddl
