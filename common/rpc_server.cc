#include "common/rpc_server.h"

#include <grpcpp/security/auth_metadata_processor.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/names.h"
#include "common/rpc_client.h"
#include "common/rpc_status.h"
#include "common/version.h"

namespace ddl {
namespace {

constexpr char kTokenIdKey[] = "ddl-token-id";
constexpr size_t kMaxUserBytes = 64;

absl::string_view View(const grpc::string_ref& text) { return {text.data(), text.size()}; }

class BearerCheck final : public grpc::AuthMetadataProcessor {
 public:
  explicit BearerCheck(std::vector<AccessToken> tokens) : tokens_(std::move(tokens)) {}

  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* context,
                       OutputMetadata* consumed, OutputMetadata*) override {
    const auto path = metadata.find(":path");
    if (path != metadata.end() && absl::StartsWith(View(path->second), "/grpc.health.v1.Health/")) {
      return grpc::Status::OK;
    }
    const auto found = metadata.find("authorization");
    const absl::StatusOr<AccessToken> token =
        FindBearer(tokens_, found == metadata.end() ? "" : View(found->second));
    if (!token.ok()) return ToGrpc(token.status());
    consumed->emplace("authorization", std::string(View(found->second)));
    context->AddProperty(kTokenIdKey, token->id);
    return grpc::Status::OK;
  }

 private:
  const std::vector<AccessToken> tokens_;
};

std::string MetadataOf(const grpc::ServerContext& context, const char* key) {
  const auto found = context.client_metadata().find(key);
  return found == context.client_metadata().end() ? "" : std::string(View(found->second));
}

}  // namespace

void ApplyLimits(grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder->SetMaxSendMessageSize(kMaxMessageBytes);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 100);
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 * 1024);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  // Without this, pings of an idle connection count as too many unless hours lie between them.
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

std::shared_ptr<grpc::ServerCredentials> CredentialsOf(const ServerSecurity& security) {
  if (!security.tls) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({security.key, security.cert});
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::SslServerCredentials(options);
  credentials->SetAuthMetadataProcessor(std::make_shared<BearerCheck>(security.tokens));
  return credentials;
}

IncomingCall CallOf(const grpc::ServerContext& context) {
  IncomingCall call;
  call.has_deadline = context.raw_deadline().tv_sec != gpr_inf_future(GPR_CLOCK_REALTIME).tv_sec;
  call.version = MetadataOf(context, kApiVersionKey);
  std::string user = MetadataOf(context, kUserKey);
  if (user.empty() || user.size() > kMaxUserBytes || !CheckText(user).ok()) user = "unknown";
  call.principal = absl::StrCat("unverified:", user);
  const std::shared_ptr<const grpc::AuthContext> identity = context.auth_context();
  if (identity == nullptr) return call;
  for (const grpc::string_ref& id : identity->FindPropertyValues(kTokenIdKey)) {
    absl::StrAppend(&call.principal, "#", View(id));
  }
  return call;
}

absl::Status CheckCall(const IncomingCall& call) {
  if (!call.has_deadline) {
    return absl::InvalidArgumentError("every call must have a deadline, this one has none");
  }
  if (call.version.empty()) return absl::OkStatus();
  uint32_t version = 0;
  if (!absl::SimpleAtoi(call.version, &version) || version > kApiVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("the client speaks version ", Quoted(call.version),
                     " of the protocol, this coordinator at most ", kApiVersion));
  }
  return absl::OkStatus();
}

}  // namespace ddl
