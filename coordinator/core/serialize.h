// Bytes of a message that are equal for equal messages, maps included.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace ddl::coordinator {

std::string SerializeDeterministically(const google::protobuf::Message& message);

}  // namespace ddl::coordinator
