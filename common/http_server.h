// A small HTTP server for what the service publishes: metrics, health, JSON and pages. It answers
// GET alone, from a table of routes, and reads nothing from disk.
//
// Routes run concurrently on civetweb's threads, whose stacks have 100 KiB: they take what they
// need under their own locks and keep large buffers on the heap. Never used in a process that loads
// LibTorch, whose CUDA libraries need more stack than that.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ddl {

struct HttpRequest {
  std::string path;                               // Decoded, without the query.
  std::multimap<std::string, std::string> query;  // Decoded; a name may repeat.
  std::string authorization;                      // The header's value; empty without it.
};

// The first value of a query parameter, or `fallback`.
std::string QueryValue(const HttpRequest& request, const std::string& name,
                       absl::string_view fallback = "");

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

using HttpRoute = std::function<HttpResponse(const HttpRequest&)>;

// A key is a whole path ("/metrics") or, with a "*" at its end, a prefix ("/runs/*"). A whole path
// wins over a prefix, a longer prefix over a shorter.
using HttpRoutes = std::map<std::string, HttpRoute>;

struct HttpLimits {
  int threads = 4;                    // Requests in work at once; others wait in the queue.
  int queue = 64;                     // Accepted connections that wait for a thread.
  int request_bytes = 16 * 1024;      // Request line and headers.
  int path_bytes = 1024;              // Path and query: 414 above.
  int timeout_milliseconds = 10'000;  // For a client to send its request.
};

class HttpServer {
 public:
  // Listens on "HOST:PORT" (IPv4, "[IPv6]:PORT" or a host name); port 0 is a free one.
  // kUnavailable, naming the address, when the port is in use; kInvalidArgument for another
  // address that cannot be had.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& address,
                                                           HttpRoutes routes,
                                                           const HttpLimits& limits = {});
  // Waits for requests in work.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "HOST:PORT", with the port that was taken.
  const std::string& address() const { return address_; }

 private:
  struct Civetweb;
  HttpServer();

  std::unique_ptr<Civetweb> civetweb_;
  std::string address_;
};

}  // namespace ddl
