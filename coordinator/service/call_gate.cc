#include "coordinator/service/call_gate.h"

#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/metric_table.h"
#include "common/rpc_status.h"

namespace ddl::coordinator {
namespace {

constexpr absl::string_view kHandling = "grpc_server_handling_seconds";

// The ecosystem's spelling: "InvalidArgument" for INVALID_ARGUMENT.
std::string CodeLabel(const absl::Status& status) {
  if (status.ok()) return "OK";
  std::string label;
  for (const absl::string_view word :
       absl::StrSplit(absl::StatusCodeToString(status.code()), '_')) {
    label.push_back(word[0]);
    for (const char c : word.substr(1)) label.push_back(static_cast<char>(c - 'A' + 'a'));
  }
  return label;
}

}  // namespace

grpc::Status CallGate::Serve(const grpc::ServerContext& context, absl::string_view service,
                             absl::string_view method,
                             const std::function<absl::Status(const ServedCall&)>& body) {
  const absl::Time start = absl::Now();
  const IncomingCall call = CallOf(context);
  absl::Status status = CheckCall(call);
  if (status.ok()) status = body({call.principal, absl::FromChrono(context.deadline())});
  Count(service, method, status, absl::Now() - start);
  return ToGrpc(status);
}

void CallGate::Count(absl::string_view service, absl::string_view method,
                     const absl::Status& status, absl::Duration duration) {
  MutexLock lock(&mutex_);
  ++handled_[{std::string(service), std::string(method), CodeLabel(status)}];
  durations_[{std::string(service), std::string(method)}].Observe(HistogramBounds(kHandling),
                                                                  absl::ToDoubleSeconds(duration));
}

void CallGate::Export(MetricFamilies* families) const {
  MutexLock lock(&mutex_);
  for (const auto& [key, count] : handled_) {
    const auto& [service, method, code] = key;
    families->Set("grpc_server_handled_total", {service, method, code}, static_cast<double>(count));
  }
  for (const auto& [key, durations] : durations_) {
    families->SetHistogram(kHandling, {key.first, key.second}, durations);
  }
}

}  // namespace ddl::coordinator
