#include "worker/proxy/forward.h"

#include <algorithm>

#include "worker/proxy/attempt.h"
#include "worker/proxy/filtered_content.h"
#include "worker/proxy/local_answer.h"
#include "worker/proxy/tunnel.h"
#include "worker/upstream/retry_policy.h"

namespace proxyd::proxy {
namespace {

using upstream::Fault;
using Outcome = Attempt::Outcome;

ProxyError error_of(Fault fault) {
  switch (fault) {
    case Fault::kConnectionRefused: return ProxyError::kConnectionRefused;
    case Fault::kConnectionTimeout: return ProxyError::kConnectionTimeout;
    case Fault::kNoAddress: return ProxyError::kDnsError;
    case Fault::kNoPort: return ProxyError::kConnectionLimit;
    case Fault::kTimeout: return ProxyError::kResponseTimeout;
    case Fault::kMalformed: return ProxyError::kProtocolError;
    case Fault::kClosedUnanswered:
    case Fault::kHeadIncomplete:
    case Fault::kCut: return ProxyError::kResponseIncomplete;
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
  if (attempt.fault() == Fault::kCut) {   // not the target's doing
    co_await answer_error(request, 502, ProxyError::kResponseIncomplete, "target_removed", false);
    co_return;
  }
  if (attempt.fault() == Fault::kTimeout) request.proxy.count_timeout(Phase::kFirstByte);
  if (attempt.fault() == Fault::kConnectionTimeout) request.proxy.count_timeout(Phase::kConnect);
  co_await fail(request, group, error_of(attempt.fault()), detail);
}

// Counts and keeps what was wrong with the client's content while its answer was on its way already.
void note_failed_upload(Request& request, const Relayed& upload) {
  const http::Refusal refusal = request.exchange.content_refusal();
  if (refusal != http::Refusal::kNone) request.note_refusal(refusal, 0, request.exchange.content_fault());
  if (upload.end == Relayed::End::kSourceTimeout) request.proxy.count_timeout(Phase::kClientBody);
  request.fail(refusal != http::Refusal::kNone ? ProxyError::kRequestError : ProxyError::kClientGone);
}

// A response on its way while the request's content still comes: when that fails, nobody will get the rest of either.
async::Task<Relayed> relay_beside_upload(Request& request, Relay relay, Attempt& attempt) {
  async::Task<Relayed> response = relay_content(relay);
  co_await attempt.upload_or(response);
  const bool failed = !response.done() && attempt.after_upload() != Outcome::kResponse;
  if (failed) {
    note_failed_upload(request, attempt.upload());
    co_return Relayed{.end = Relayed::End::kSinkFailed};
  }
  const Relayed relayed = co_await response;
  co_return relayed;
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

// Everything that ends a request before there is a response to hand on.
async::Task<void> answer_failure(Request& request, const upstream::UpstreamGroup& group, Attempt& attempt,
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

void count_response(const upstream::Member& member, int status) {
  member.target->counters().by_class[static_cast<size_t>(std::clamp(status / 100, 1, 5) - 1)].add();
}

// A response that broke off: its client must not take it for whole.
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

// Begins the answer with the response's head. False when it can't be.
bool begin_response(Request& request, Attempt& attempt) {
  http::ResponseHead& response = attempt.exchange().response();
  if (attempt.uploading() && response.status >= 300) attempt.stop_upload();   // RFC 9112 9.5
  const bool keep_length = request.head.method == http::Method::kHead || response.status == 304;
  adapt_response_fields(response, keep_length, request.arena());
  if (!response.fields.has(http::FieldName::kDate)) response.fields.add(http::FieldName::kDate, request.proxy.date());
  return request.begin_answer(response.status, response.reason, response.fields, response.content, attempt.uploading());
}

RelayLimits response_limits(const Request& request, upstream::Exchange& origin) {
  RelayLimits limits{Pace(request.timeouts().between_bytes, 0), Pace(request.timeouts().client_write, kSlowestClient)};
  limits.total = request.total;
  limits.cut = &origin.when_cut();
  return limits;
}

// Whether the attempt's failure, or its response's status, calls for another, and whether that is safe.
bool should_retry(Request& request, const upstream::UpstreamGroup& group, const Attempt& attempt, Outcome outcome,
                  const HeldContent& content, int number, int status) {
  if (outcome != Outcome::kTargetFailed && outcome != Outcome::kResponse) return false;
  if (request.total.passed(request.proxy.loop().now())) return false;
  const config::Route& route = request.matched.route->settings;
  const upstream::RetryPolicy policy(route.retry ? *route.retry : group.retry, request.proxy.status());
  return policy.may_retry({.number = number,
                           .fault = attempt.fault(),
                           .status = status,
                           .content_held = content.can_rewind(),
                           .method_text = request.head.method_text});
}

}   // namespace

async::Task<void> forward(Request& request, const upstream::UpstreamGroup& group) {
  FilteredContent filtered(request.exchange.content(), request.arena());
  HeldContent content(filtered, request.proxy.buffers(), !request.head.content.is_empty());
  upstream::RunningRetry running;
  upstream::Tried tried;
  request.facts.upstream = group.name;
  for (int number = 1;; ++number) {
    const upstream::Balancer::Choice choice = request.proxy.balancer().choose(group, tried);
    if (choice.outcome != upstream::Balancer::Outcome::kChosen) {
      const bool full = choice.outcome == upstream::Balancer::Outcome::kAllFull;
      co_await fail(request, group, full ? ProxyError::kConnectionLimit : ProxyError::kDestinationUnavailable);
      co_return;
    }
    const upstream::Member& member = group.members[choice.member];
    request.facts.target = member.id;
    request.attempts = number;
    tried.add(choice.member);
    std::optional<Attempt> attempt(std::in_place, request, content, group, member);
    Outcome outcome = co_await attempt->run(false);
    // A pooled connection that its origin had closed before it saw the request says nothing about the target
    // (RFC 9112 9.3.1): the same target once more, on a new connection.
    if (outcome == Outcome::kTargetFailed && attempt->was_stale() && content.can_rewind()) {
      content.rewind();
      attempt.emplace(request, content, group, member);
      outcome = co_await attempt->run(true);
    }
    const int status = outcome == Outcome::kResponse ? attempt->exchange().response().status : 0;
    if (status != 0) count_response(member, status);
    if (should_retry(request, group, *attempt, outcome, content, number, status)) {
      running.begin(request.proxy.status().worker(request.proxy.slot()));
      group.retries.add();
      content.rewind();
      continue;
    }
    if (outcome != Outcome::kResponse) {
      co_await answer_failure(request, group, *attempt, outcome);
      co_return;
    }
    // Hand the response on: head, content, trailers.
    if (!begin_response(request, *attempt)) {
      request.exchange.reset();
      co_return;
    }
    if (status == 101) {
      co_await run_tunnel(request, attempt->exchange());
      co_return;
    }
    FilteredContent answered(attempt->exchange().response_content(), request.arena());
    Relay relay(request.loop(), answered, request.exchange.sink(), response_limits(request, attempt->exchange()));
    const bool ended = relay.go_on();   // what came with the head leaves without a frame of its own
    Relayed relayed = relay.relayed();
    if (!ended && attempt->uploading()) {
      relayed = co_await relay_beside_upload(request, relay, *attempt);
    } else if (!ended) {
      relayed = co_await relay_content(relay);
    }
    cut_response(request, group, relayed);
    co_return;
  }
}

}   // namespace proxyd::proxy
