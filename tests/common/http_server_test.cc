#include "common/http_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <latch>
#include <string>
#include <vector>

#include "tests/common/http_client.h"

namespace ddl {
namespace {

std::unique_ptr<HttpServer> Serve(HttpRoutes routes, const HttpLimits& limits = {}) {
  auto server = HttpServer::Start("127.0.0.1:0", std::move(routes), limits);
  INFO(server.status());
  REQUIRE(server.ok());
  return *std::move(server);
}

HttpRoute Fixed(const std::string& body) {
  return [body](const HttpRequest&) { return HttpResponse{.body = body}; };
}

TEST_CASE("A route answers with its status, type, length and body") {
  const auto server = Serve({{"/page", [](const HttpRequest&) {
                                return HttpResponse{503, "application/json", "{\"a\": 1}"};
                              }}});
  const HttpReply reply = HttpGet(server->address(), "/page");
  CHECK(reply.status == 503);
  CHECK(reply.body == "{\"a\": 1}");
  CHECK_THAT(reply.head, Catch::Contains("Content-Type: application/json\r\n"));
  CHECK_THAT(reply.head, Catch::Contains("Content-Length: 8\r\n"));
}

TEST_CASE("A body of several MiB arrives whole") {
  const std::string body(5 << 20, 'x');
  const auto server = Serve({{"/big", Fixed(body)}});
  CHECK(HttpGet(server->address(), "/big").body == body);
}

TEST_CASE("A whole path wins over a prefix and a longer prefix over a shorter") {
  const auto server = Serve({{"/", Fixed("root")},
                             {"/a/*", Fixed("short")},
                             {"/a/b/*", Fixed("long")},
                             {"/a/b/c", Fixed("whole")}});
  const std::string& address = server->address();
  CHECK(HttpGet(address, "/").body == "root");
  CHECK(HttpGet(address, "/a/x").body == "short");
  CHECK(HttpGet(address, "/a/b/x").body == "long");
  CHECK(HttpGet(address, "/a/b/c").body == "whole");
  CHECK(HttpGet(address, "/other").status == 404);
  CHECK(HttpGet(address, "/a").status == 404);
}

TEST_CASE("Query parameters are decoded and may repeat") {
  const auto server = Serve({{"/q", [](const HttpRequest& request) {
                                std::string body = QueryValue(request, "x", "none") + "|" +
                                                   QueryValue(request, "y", "none");
                                for (const auto& [name, value] : request.query) {
                                  body += "|" + name + "=" + value;
                                }
                                return HttpResponse{.body = body};
                              }}});
  CHECK(HttpGet(server->address(), "/q?x=a%20b%26&x=c+d&flag").body ==
        "a b&|none|flag=|x=a b&|x=c d");
  CHECK(HttpGet(server->address(), "/q").body == "none|none");
}

TEST_CASE("Only GET is answered") {
  const auto server = Serve({{"/page", Fixed("page")}});
  for (const char* method : {"POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"}) {
    INFO(method);
    const HttpReply reply = HttpGet(server->address(), "/page", method);
    CHECK(reply.status == 405);
    CHECK_THAT(reply.head, Catch::Contains("Allow: GET"));
  }
}

TEST_CASE(
    "Over-long paths and requests and what is not HTTP are refused, and the server lives on") {
  const auto server = Serve({{"/page", Fixed("page")}}, {.path_bytes = 100});
  const std::string& address = server->address();
  CHECK(HttpGet(address, "/" + std::string(101, 'p')).status == 414);
  CHECK(HttpGet(address, "/page?q=" + std::string(101, 'p')).status == 414);
  const int status = HttpGet(address, "/" + std::string(100'000, 'p')).status;
  CHECK((status == 0 || status >= 400));  // 0: closed while the request was still being sent.
  CHECK(HttpGet(address, "/../../etc/passwd").status == 404);
  CHECK(HttpGet(address, "/%00page").status >= 400);
  const std::string reply = SendBytes(address, std::string("\x16\x03\x01\x00\r\n\r\n", 8));
  INFO(reply);
  CHECK((reply.empty() || reply.rfind("HTTP/1.0 400", 0) == 0));
  CHECK(HttpGet(address, "/page").body == "page");
}

TEST_CASE("A port in use is unavailable and named") {
  const auto server = Serve({});
  const auto second = HttpServer::Start(server->address(), {});
  CHECK(second.status().code() == absl::StatusCode::kUnavailable);
  CHECK_THAT(std::string(second.status().message()),
             Catch::Contains(server->address()) && Catch::Contains("in use"));
}

TEST_CASE("An address that is none is an invalid argument") {
  for (const char* address : {"", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:65536",
                              "127.0.0.1:http", "no.such.host.invalid:0", "192.0.2.1:0"}) {
    INFO(address);
    const auto server = HttpServer::Start(address, {});
    CHECK(server.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(server.status().message()), Catch::Contains(address));
  }
}

TEST_CASE("As many requests are in work at once as there are threads") {
  std::latch together(3);  // Opens only when three requests are inside a route.
  const auto server = Serve({{"/meet",
                              [&](const HttpRequest&) {
                                together.arrive_and_wait();
                                return HttpResponse{.body = "met"};
                              }}},
                            {.threads = 3});
  std::vector<std::future<HttpReply>> replies;
  for (int i = 0; i < 3; ++i) {
    replies.push_back(
        std::async(std::launch::async, [&] { return HttpGet(server->address(), "/meet"); }));
  }
  for (auto& reply : replies) CHECK(reply.get().body == "met");
}

TEST_CASE("A server that ends frees its port") {
  auto server = Serve({{"/", Fixed("first")}});
  const std::string address = server->address();
  CHECK(HttpGet(address, "/").body == "first");
  server.reset();
  CHECK(HttpGet(address, "/").status == 0);
  const auto second = HttpServer::Start(address, {{"/", Fixed("second")}});
  REQUIRE(second.ok());
  CHECK(HttpGet(address, "/").body == "second");
}

}  // namespace
}  // namespace ddl
