#include "common/http_server.h"

#include <civetweb.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/check.h"
#include "common/mutex.h"
#include "common/names.h"

namespace ddl {
namespace {

// The part before the port of "HOST:PORT".
absl::StatusOr<std::string> HostOf(const std::string& address) {
  const size_t colon = address.rfind(':');
  uint32_t port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("an HTTP address must be HOST:PORT, got ", Quoted(address)));
  }
  return address.substr(0, colon);
}

std::string DecodeComponent(absl::string_view text) {
  std::string decoded(text.size() + 1, '\0');
  const int size = mg_url_decode(text.data(), static_cast<int>(text.size()), decoded.data(),
                                 static_cast<int>(decoded.size()), 1);
  decoded.resize(static_cast<size_t>(std::max(size, 0)));
  return decoded;
}

HttpRequest RequestOf(const mg_connection* connection, const mg_request_info& info) {
  HttpRequest request;
  request.path = info.local_uri == nullptr ? "" : info.local_uri;
  const absl::string_view query = info.query_string == nullptr ? "" : info.query_string;
  for (const absl::string_view pair : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    request.query.emplace(DecodeComponent(parts.first), DecodeComponent(parts.second));
  }
  const char* const authorization = mg_get_header(connection, "Authorization");
  if (authorization != nullptr) request.authorization = authorization;
  return request;
}

const HttpRoute* FindRoute(const HttpRoutes& routes, const std::string& path) {
  const auto exact = routes.find(path);
  if (exact != routes.end()) return &exact->second;
  const HttpRoute* found = nullptr;
  for (const auto& [pattern, route] : routes) {  // In order: a longer prefix comes later.
    if (!absl::EndsWith(pattern, "*")) continue;
    if (absl::StartsWith(path, absl::string_view(pattern.data(), pattern.size() - 1))) {
      found = &route;
    }
  }
  return found;
}

HttpResponse Answer(const mg_connection* connection, const HttpRoutes& routes,
                    const HttpLimits& limits) {
  const mg_request_info& info = *mg_get_request_info(connection);
  if (absl::string_view(info.request_method) != "GET") {
    return {.status = 405, .body = "only GET is answered here\n"};
  }
  const size_t query_bytes = info.query_string == nullptr ? 0 : std::strlen(info.query_string);
  if (std::strlen(info.request_uri) + query_bytes > static_cast<size_t>(limits.path_bytes)) {
    return {.status = 414,
            .body = absl::StrCat("path and query must be at most ", limits.path_bytes, " bytes\n")};
  }
  const HttpRequest request = RequestOf(connection, info);
  const HttpRoute* const route = FindRoute(routes, request.path);
  if (route == nullptr) return {.status = 404, .body = "no such page\n"};
  return (*route)(request);
}

void Send(mg_connection* connection, const HttpResponse& response) {
  const std::string head = absl::StrCat(
      "HTTP/1.1 ", response.status, " ", mg_get_response_code_text(connection, response.status),
      "\r\nContent-Type: ", response.content_type, "\r\nContent-Length: ", response.body.size(),
      response.status == 405 ? "\r\nAllow: GET" : "",
      "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close"
      "\r\n\r\n");
  mg_write(connection, head.data(), head.size());
  mg_write(connection, response.body.data(), response.body.size());
}

absl::Status StartError(const std::string& address, const std::string& reason) {
  // The library reports the errno of bind(2) as text alone.
  const std::string in_use = absl::StrCat(": ", EADDRINUSE, " (");
  if (absl::StrContains(reason, in_use)) {
    return absl::UnavailableError(
        absl::StrCat("cannot serve HTTP on ", address, ": the port is in use by another program"));
  }
  return absl::InvalidArgumentError(absl::StrCat("cannot serve HTTP on ", address, ": ", reason));
}

}  // namespace

std::string QueryValue(const HttpRequest& request, const std::string& name,
                       absl::string_view fallback) {
  const auto found = request.query.lower_bound(name);  // The first of equal names.
  return found == request.query.end() || found->first != name ? std::string(fallback)
                                                              : found->second;
}

struct HttpServer::Civetweb {
  HttpRoutes routes;
  HttpLimits limits;
  Mutex mutex;
  std::string first_message ABSL_GUARDED_BY(mutex);  // The cause, when the start fails.
  mg_context* context = nullptr;

  static int OnRequest(mg_connection* connection) {
    const auto* const self =
        static_cast<const Civetweb*>(mg_get_user_data(mg_get_context(connection)));
    const HttpResponse response = Answer(connection, self->routes, self->limits);
    Send(connection, response);
    return response.status;
  }
  // The library's messages about its clients say nothing that an operator could act on.
  static int OnMessage(const mg_connection* connection, const char* message) {
    auto* const self = static_cast<Civetweb*>(mg_get_user_data(mg_get_context(connection)));
    const MutexLock lock(&self->mutex);
    if (self->first_message.empty()) self->first_message = message;
    return 1;
  }
};

HttpServer::HttpServer() : civetweb_(std::make_unique<Civetweb>()) {}

HttpServer::~HttpServer() {
  if (civetweb_->context != nullptr) mg_stop(civetweb_->context);
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address,
                                                              HttpRoutes routes,
                                                              const HttpLimits& limits) {
  const absl::StatusOr<std::string> host = HostOf(address);
  if (!host.ok()) return host.status();
  auto server = std::unique_ptr<HttpServer>(new HttpServer());
  Civetweb& civetweb = *server->civetweb_;
  civetweb.routes = std::move(routes);
  civetweb.limits = limits;

  const std::array<std::string, 4> numbers = {
      std::to_string(limits.threads), std::to_string(limits.queue),
      std::to_string(limits.request_bytes), std::to_string(limits.timeout_milliseconds)};
  std::vector<const char*> options = {"listening_ports",
                                      address.c_str(),
                                      "num_threads",
                                      numbers[0].c_str(),
                                      "connection_queue",
                                      numbers[1].c_str(),
                                      "max_request_size",
                                      numbers[2].c_str(),
                                      "request_timeout_ms",
                                      numbers[3].c_str(),
                                      nullptr};
  mg_callbacks callbacks{};
  callbacks.begin_request = &Civetweb::OnRequest;
  callbacks.log_message = &Civetweb::OnMessage;
  mg_init_data start{&callbacks, &civetweb, options.data()};
  std::array<char, 512> text{};
  unsigned code = 0;
  mg_error_data error{&code, text.data(), text.size()};
  mg_init_library(MG_FEATURES_DEFAULT);
  mg_context* const context = mg_start2(&start, &error);
  if (context == nullptr) {
    const MutexLock lock(&civetweb.mutex);
    return StartError(address,
                      civetweb.first_message.empty() ? text.data() : civetweb.first_message);
  }
  civetweb.context = context;

  std::array<mg_server_port, 2> ports{};
  DDL_CHECK(mg_get_server_ports(context, static_cast<int>(ports.size()), ports.data()) >= 1);
  server->address_ = absl::StrCat(*host, ":", ports[0].port);
  return server;
}

}  // namespace ddl
