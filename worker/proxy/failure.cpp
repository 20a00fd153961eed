#include "worker/proxy/failure.h"

#include "worker/proxy/local_answer.h"

namespace proxyd::proxy {
namespace {

using upstream::Fault;
using Outcome = Attempt::Outcome;

ProxyError error_of(Fault fault) {
  switch (fault) {
    case Fault::kConnectionRefused: return ProxyError::kConnectionRefused;
    case Fault::kConnectionTimeout: return ProxyError::kConnectionTimeout;
    case Fault::kTls: return ProxyError::kTlsCertificateError;
    case Fault::kNoAddress: return ProxyError::kDnsError;
    case Fault::kNoPort: return ProxyError::kConnectionLimit;
    case Fault::kTimeout: return ProxyError::kResponseTimeout;
    case Fault::kNoStream:
    case Fault::kRefused: return ProxyError::kConnectionLimit;
    case Fault::kNoHttp2:
    case Fault::kNoTunnel:
    case Fault::kMalformed: return ProxyError::kProtocolError;
    case Fault::kGoingAway:
    case Fault::kClosedUnanswered:
    case Fault::kHeadIncomplete:
    case Fault::kCut:
    case Fault::kCutConnecting: return ProxyError::kResponseIncomplete;
    case Fault::kPending:
    case Fault::kNone: break;
  }
  return ProxyError::kInternalError;
}

// Counts an error of the upstream and answers with it.
async::Task<void> fail(Request& request, const upstream::UpstreamGroup& group, ProxyError error,
                       std::string_view detail = {}) {
  group.errors[static_cast<size_t>(error)].add();
  co_await answer_error(request, status_of(error), error, detail, false);
}

// The target gave nothing that can be handed on.
async::Task<void> fail_by_target(Request& request, const upstream::UpstreamGroup& group, Attempt& attempt) {
  std::string_view detail;
  if (attempt.fault() == Fault::kMalformed) {
    const http::Refusal refusal = attempt.exchange().refusal();
    detail = http::to_string(refusal);
    request.proxy.count_bad_response(refusal);
    request.note_bad_response(detail, attempt.exchange().fault_offset(), attempt.exchange().received_head());
  }
  if (attempt.fault() == Fault::kNoTunnel) detail = "no WebSocket over HTTP/2 to this upstream";
  if (attempt.was_cut()) {   // not the target's doing
    co_await answer_error(request, 502, ProxyError::kResponseIncomplete, "target_removed", false);
    co_return;
  }
  if (attempt.fault() == Fault::kTimeout) request.proxy.count_timeout(Phase::kFirstByte);
  if (attempt.fault() == Fault::kConnectionTimeout) request.proxy.count_timeout(Phase::kConnect);
  co_await fail(request, group, error_of(attempt.fault()), detail);
}

// The client's content failed: it went away, was too slow, or sent what is no content.
async::Task<void> fail_by_client(Request& request, const Relayed& upload) {
  const http::Refusal refusal = request.exchange.content_refusal();
  if (refusal != http::Refusal::kNone) {
    request.note_refusal(refusal, 0, request.exchange.content_fault());
    co_await answer_error(request, status_of(refusal), ProxyError::kRequestError, http::to_string(refusal), true);
  } else if (upload.end == Relayed::End::kSourceTimeout) {
    request.proxy.count_timeout(Phase::kClientBody);
    co_await answer_refused(request, http::Refusal::kBodyTimeout, 0);
  } else {
    request.fail(ProxyError::kClientGone);
    request.exchange.reset();
  }
}

async::Task<void> answer_attempt(Request& request, const upstream::UpstreamGroup& group, Attempt& attempt,
                                 Outcome outcome) {
  attempt.stop_upload();
  switch (outcome) {
    case Outcome::kClientFailed: co_await fail_by_client(request, attempt.upload()); break;
    case Outcome::kContentTooLarge: co_await answer_refused(request, http::Refusal::kBodyTooLarge, 0); break;
    case Outcome::kHeadTooLarge:
      co_await fail(request, group, ProxyError::kInternalError, "the request's head grew too large");
      break;
    case Outcome::kTotalTimeout:
      request.proxy.count_timeout(Phase::kTotal);
      co_await fail(request, group, ProxyError::kResponseTimeout);
      break;
    default: co_await fail_by_target(request, group, attempt);
  }
}

}   // namespace

async::Task<void> answer_failure(Request& request, Fetch& fetch, Fetch::Outcome outcome) {
  switch (outcome) {
    case Fetch::Outcome::kAllFull: co_await fail(request, fetch.group(), ProxyError::kConnectionLimit); break;
    case Fetch::Outcome::kNoTarget: co_await fail(request, fetch.group(), ProxyError::kDestinationUnavailable); break;
    default: co_await answer_attempt(request, fetch.group(), fetch.attempt(), fetch.attempt_outcome());
  }
}

void note_failed_upload(Request& request, const Relayed& upload) {
  const http::Refusal refusal = request.exchange.content_refusal();
  if (refusal != http::Refusal::kNone) request.note_refusal(refusal, 0, request.exchange.content_fault());
  if (upload.end == Relayed::End::kSourceTimeout) request.proxy.count_timeout(Phase::kClientBody);
  request.fail(refusal != http::Refusal::kNone ? ProxyError::kRequestError : ProxyError::kClientGone);
}

void cut_response(Request& request, const upstream::UpstreamGroup& group, const Relayed& relayed) {
  const auto failed_by_origin = [&](ProxyError error) {
    group.errors[static_cast<size_t>(error)].add();
    request.fail(error);
  };
  switch (relayed.end) {
    case Relayed::End::kComplete: return;
    case Relayed::End::kSourceFailed:
      failed_by_origin(relayed.fault == net::ContentFault::kMalformed ? ProxyError::kProtocolError
                                                                      : ProxyError::kResponseIncomplete);
      break;
    case Relayed::End::kCut: request.fail(ProxyError::kResponseIncomplete); break;   // not the target's doing
    case Relayed::End::kSourceTimeout:
      request.proxy.count_timeout(Phase::kBetweenBytes);
      failed_by_origin(ProxyError::kResponseTimeout);
      break;
    case Relayed::End::kSinkTimeout:
      request.proxy.count_timeout(Phase::kClientWrite);
      request.fail(ProxyError::kClientGone);
      break;
    case Relayed::End::kTotalTimeout:
      request.proxy.count_timeout(Phase::kTotal);
      failed_by_origin(ProxyError::kResponseTimeout);
      break;
    default:
      if (request.error.empty()) request.fail(ProxyError::kClientGone);
  }
  request.exchange.reset();
}

}   // namespace proxyd::proxy
