// Files as the service needs them: whole, durable, or not there at all.
//
// Every path is used as given; callers build paths from ids, never from names that a user wrote.
// Nothing here sees protobuf, gRPC or LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ddl {

// Reads a regular file of at most `limit_bytes`. kNotFound; kResourceExhausted when larger;
// kFailedPrecondition for a folder, FIFO or device.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     int64_t limit_bytes = int64_t{1} << 30);

// Replaces `path` by `bytes`: temporary file beside it, fsync, rename, fsync of the folder. After a
// crash the file holds the old or the new bytes, never a part. kResourceExhausted for a full disk
// (the temporary file is removed); kInternal for another failed write.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view bytes);

// Makes `path` and its parents (mode 0700 for new ones). OK if it is there.
absl::Status MakeFolders(const std::string& path);

// fsync of a folder, so that names made or removed in it survive a power cut.
absl::Status SyncFolder(const std::string& path);

// Removes a folder with all that is in it; follows no link. OK if it is not there.
absl::Status RemoveTree(const std::string& path);

// Names in a folder, sorted, without "." and "..". kNotFound.
absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& path);

bool FileExists(const std::string& path);

// "<what> <path>: <text of errno>", kNotFound for ENOENT, kPermissionDenied for EACCES,
// kResourceExhausted for ENOSPC and EDQUOT, kInternal otherwise.
absl::Status ErrnoStatus(absl::string_view what, absl::string_view path);

}  // namespace ddl
