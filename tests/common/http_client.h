// A client made of plain sockets: what a peer may send, whether it is HTTP or not.
#pragma once

#include <string>

namespace ddl {

struct HttpReply {
  int status = 0;  // 0: the peer closed without an answer.
  std::string head;
  std::string body;
};

// Sends `bytes` to "127.0.0.1:PORT" and reads until the peer closes, for at most ten seconds.
std::string SendBytes(const std::string& address, const std::string& bytes);

HttpReply HttpGet(const std::string& address, const std::string& target,
                  const std::string& method = "GET");

}  // namespace ddl
