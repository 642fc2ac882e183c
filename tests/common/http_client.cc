#include "tests/common/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace ddl {

std::string SendBytes(const std::string& address, const std::string& bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(static_cast<uint16_t>(
      std::strtoul(address.substr(address.rfind(':') + 1).c_str(), nullptr, 10)));
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{.tv_sec = 10};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  std::string reply;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0) {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t put = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (put <= 0) break;
      sent += static_cast<size_t>(put);
    }
    std::array<char, 4096> chunk{};
    for (ssize_t got = 0; (got = recv(fd, chunk.data(), chunk.size(), 0)) > 0;) {
      reply.append(chunk.data(), static_cast<size_t>(got));
    }
  }
  close(fd);
  return reply;
}

HttpReply HttpGet(const std::string& address, const std::string& target,
                  const std::string& method) {
  const std::string raw =
      SendBytes(address, method + " " + target + " HTTP/1.1\r\nHost: " + address + "\r\n\r\n");
  HttpReply reply;
  const size_t end = raw.find("\r\n\r\n");
  if (end == std::string::npos || raw.rfind("HTTP/1.1 ", 0) != 0) return reply;
  reply.status = static_cast<int>(std::strtol(raw.c_str() + 9, nullptr, 10));
  reply.head = raw.substr(0, end);
  reply.body = raw.substr(end + 4);
  return reply;
}

}  // namespace ddl
