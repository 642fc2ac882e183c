// Whether a protocol still means what a released one meant on the wire and in JSON.
#pragma once

#include <google/protobuf/descriptor.pb.h>

#include <string>
#include <vector>

namespace ddl {

// One line for each released field, enum value or method that is gone, moved, renamed or of another
// type, and for each number that is used again for something else. Empty when `present` only adds.
std::vector<std::string> BrokenPromises(const google::protobuf::FileDescriptorSet& released,
                                        const google::protobuf::FileDescriptorSet& present);

// One line for each field, enum value or method of `present` that `released` does not promise yet.
std::vector<std::string> Additions(const google::protobuf::FileDescriptorSet& released,
                                   const google::protobuf::FileDescriptorSet& present);

}  // namespace ddl
