#include "worker/proxy/target_report.h"

#include "worker/upstream/fault_finding.h"

namespace proxyd::proxy {
namespace {

using status::Finding;

bool is_failure(int status) { return status == 500 || (status >= 502 && status <= 504); }

bool is_grpc_failure(const http::Fields& fields) {
  const http::Field* status = fields.find("grpc-status");
  return status && (status->value == "14" || status->value == "13");
}

}   // namespace

void report_response(upstream::InFlight& place, const http::ResponseHead& response, bool is_grpc) {
  const bool failed = is_failure(response.status) || (is_grpc && is_grpc_failure(response.fields));
  if (failed)
    place.failed(Finding::kStatus);
  else
    place.answered();
}

void report_fault(upstream::InFlight& place, upstream::Fault fault) {
  if (const auto finding = upstream::finding_of(fault)) place.failed(*finding);
}

void report_content(upstream::InFlight& place, const Relayed& relayed, const http::Fields* trailers, bool is_grpc) {
  const bool malformed = relayed.fault == net::ContentFault::kMalformed;
  if (relayed.end == Relayed::End::kSourceFailed) place.failed(malformed ? Finding::kMalformed : Finding::kBrokeOff);
  if (relayed.end == Relayed::End::kSourceTimeout) place.failed(Finding::kNoAnswer);
  if (is_grpc && trailers && is_grpc_failure(*trailers)) place.failed(Finding::kStatus);
}

}   // namespace proxyd::proxy
