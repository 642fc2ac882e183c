// The rules of every call, whichever method it is: the list comes from the descriptors, so that a
// new method is held to them too.
#include "coordinator/service/server.h"

#include <google/protobuf/descriptor.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <iostream>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/coordinator/service/running_coordinator.h"
#include "tests/coordinator/service/test_certificate.h"

namespace ddl::coordinator {
namespace {

std::vector<std::string> AllMethods() {
  std::vector<std::string> methods;
  for (const auto* file :
       {v1::ExperimentSpec::descriptor()->file(), v1::Run::descriptor()->file(),
        v1::RegisterRequest::descriptor()->file(), v1::SeriesChunk::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        methods.push_back(absl::StrCat("/", file->service(s)->full_name(), "/",
                                       file->service(s)->method(m)->name()));
      }
    }
  }
  return methods;
}

// Calls any method with an empty request, as a unary call.
absl::Status CallByName(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                        grpc::ClientContext* context, const std::string& bytes = "") {
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer reply;
  grpc::Status status;
  const auto call = stub.PrepareUnaryCall(context, method, request, &queue);
  call->StartCall();
  call->Finish(&reply, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  REQUIRE(queue.Next(&tag, &ok));
  return FromGrpc(status);
}

int PortOf(const std::string& address) {
  int port = 0;
  REQUIRE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
  return port;
}

TEST_CASE("every method refuses a call without a deadline") {
  RunningCoordinator coordinator;
  const auto channel = OpenChannel(coordinator.server->address(), {});
  const std::vector<std::string> methods = AllMethods();
  CHECK(methods.size() >= 21);
  for (const std::string& method : methods) {
    INFO(method);
    grpc::ClientContext context;
    const absl::Status status = CallByName(channel, method, &context);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(absl::StrContains(status.message(), "deadline"));
  }
}

TEST_CASE("every method refuses a client of a newer protocol") {
  RunningCoordinator coordinator;
  const auto channel = OpenChannel(coordinator.server->address(), {});
  for (const std::string& method : AllMethods()) {
    INFO(method);
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
    context.AddMetadata(kApiVersionKey, "2");
    const absl::Status status = CallByName(channel, method, &context);
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(absl::StrContains(status.message(), "version"));
  }
}

TEST_CASE("a message over 4 MiB and bytes that are no message are refused, the server goes on") {
  RunningCoordinator coordinator;
  const auto channel = OpenChannel(coordinator.server->address(), {});
  grpc::ClientContext large;
  large.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(20)));
  CHECK(
      CallByName(channel, "/ddl.v1.Experiments/SubmitExperiment", &large, std::string(5 << 20, 'x'))
          .code() == absl::StatusCode::kResourceExhausted);
  for (const std::string& method : AllMethods()) {
    INFO(method);
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
    CHECK_FALSE(CallByName(channel, method, &context, "\xff\xff\xff\xff").ok());
  }
  CHECK(coordinator.Run(coordinator.Submit("still", "r1")).name() == "still");
}

TEST_CASE("garbage bytes on the port do no harm") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  RunningCoordinator coordinator;
  for (int i = 0; i < 50; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(PortOf(coordinator.server->address())));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    std::string bytes = i % 2 == 0 ? "" : "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for (int k = 0; k < 500; ++k) bytes.push_back(static_cast<char>(random()));
    send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    close(fd);
  }
  CHECK(coordinator.Run(coordinator.Submit("still", "r1")).name() == "still");
}

TEST_CASE("a connection without calls may ping for ever") {
  RunningCoordinator coordinator;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 5'200);  // Half of ours, so that a test sees three.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  const auto channel = grpc::CreateCustomChannel(coordinator.server->address(),
                                                 grpc::InsecureChannelCredentials(), arguments);
  REQUIRE(channel->WaitForConnected(absl::ToChronoTime(absl::Now() + absl::Seconds(10))));
  // A GOAWAY for too many pings would be a change of state.
  CHECK_FALSE(channel->WaitForStateChange(GRPC_CHANNEL_READY,
                                          absl::ToChronoTime(absl::Now() + absl::Seconds(22))));
}

TEST_CASE("a port in use is unavailable, by address") {
  RunningCoordinator coordinator;
  const auto second =
      Server::Start({.address = coordinator.server->address()}, coordinator.loop.get(),
                    coordinator.store.get(), coordinator.logs.get(), &coordinator.gate);
  CHECK(second.status().code() == absl::StatusCode::kUnavailable);
  CHECK(absl::StrContains(second.status().message(), coordinator.server->address()));
}

// grpc.health.v1.HealthCheckRequest{} and its answer's field 1, SERVING = 1, on the wire.
TEST_CASE("health needs neither deadline nor token, reflection is there on loopback") {
  RunningCoordinator coordinator;
  const auto channel = OpenChannel(coordinator.server->address(), {});
  grpc::ClientContext health;
  CHECK(CallByName(channel, "/grpc.health.v1.Health/Check", &health).ok());
  grpc::ClientContext reflection;
  reflection.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(5)));
  CHECK(CallByName(channel, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                   &reflection)
            .code() != absl::StatusCode::kUnimplemented);
}

TEST_CASE("with TLS every method needs the token, and plain text is refused") {
  RunningCoordinator coordinator;
  const TestCertificate certificate = MakeTestCertificate();
  const std::string token = "ann." + std::string(40, 's');
  ServerSecurity security{.tls = true, .cert = certificate.cert, .key = certificate.key};
  security.tokens = *ParseTokens(token);
  const auto started =
      Server::Start({.address = "localhost:0", .security = security}, coordinator.loop.get(),
                    coordinator.store.get(), coordinator.logs.get(), &coordinator.gate);
  REQUIRE(started.ok());
  const std::string address = absl::StrCat("localhost:", PortOf((*started)->address()));
  const auto channel = OpenChannel(address, {.tls = true, .ca = certificate.cert});
  for (const std::string& method : AllMethods()) {
    INFO(method);
    for (const std::string& presented : {std::string(), token + "x"}) {
      grpc::ClientContext context;
      PrepareCall(&context, absl::Now() + absl::Seconds(10), {.user = "ada", .token = presented});
      CHECK(CallByName(channel, method, &context).code() == absl::StatusCode::kUnauthenticated);
    }
  }
  const auto stub = v1::Experiments::NewStub(channel);
  v1::SubmitExperimentRequest request;
  request.set_request_id("r1");
  *request.mutable_spec() = SmallSpec("secret");
  request.set_queue(true);
  v1::SubmitExperimentResponse response;
  grpc::ClientContext right;
  PrepareCall(&right, absl::Now() + absl::Seconds(10), {.user = "ada", .token = token});
  REQUIRE(stub->SubmitExperiment(&right, request, &response).ok());
  CHECK(response.experiment().user() == "unverified:ada#ann");

  grpc::ClientContext health;
  health.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
  CHECK(CallByName(channel, "/grpc.health.v1.Health/Check", &health).ok());
  grpc::ClientContext plain;
  plain.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(3)));
  CHECK_FALSE(CallByName(OpenChannel(address, {}), "/grpc.health.v1.Health/Check", &plain).ok());
}

}  // namespace
}  // namespace ddl::coordinator
