#include "worker/proxy/attempt.h"

#include "shared/config/endpoint.h"
#include "shared/config/head_limits.h"
#include "worker/proxy/grpc_answer.h"
#include "worker/proxy/target_report.h"

namespace proxyd::proxy {
namespace {

using Kind = http::ContentLength::Kind;
using upstream::Fault;

constexpr auto kGoAheadWait = milliseconds(1000);     // for an origin's 100 (Continue), which may never come
constexpr auto kUploadEndWait = milliseconds(1000);   // for a client that may wait for the response first

// Something has arrived from the origin, as a task, so that it can be awaited beside the upload.
async::Task<bool> arrival(upstream::Exchange& exchange, Deadline deadline) {
  const bool ready = co_await exchange.readable(deadline);
  co_return ready;
}

async::Task<void> pass_time(async::EventLoop& loop, Deadline deadline) { co_await async::Sleep(loop, deadline); }

}   // namespace

RelayLimits Attempt::response_limits() const {
  RelayLimits limits{Pace(request_.timeouts().between_bytes, 0),
                     Pace(request_.timeouts().client_write, kSlowestClient)};
  limits.total = request_.total;
  limits.cut = &exchange_->when_cut();
  limits.throttle = request_.throttle();
  return limits;
}

void Attempt::report(Outcome outcome) {
  if (outcome == Outcome::kResponse) report_response(in_flight_, exchange_->response(), is_grpc(request_.head));
  if (outcome == Outcome::kTargetFailed) report_fault(in_flight_, fault_);
}

void Attempt::report_end(const Relayed& relayed) {
  const bool whole = relayed.end == Relayed::End::kComplete;
  report_content(in_flight_, relayed, whole ? exchange_->response_content().trailers() : nullptr,
                 is_grpc(request_.head));
}

Attempt::Outcome Attempt::failed(Fault fault) {
  fault_ = fault;
  return Outcome::kTargetFailed;
}

http1::HeadRules Attempt::response_rules() const {
  const config::Limits& limits = request_.matched.route->settings.limits;
  const size_t most = limits.response_headers.value_or(config::kLargestHead);
  return {
      .max_line = most, .max_section = most, .max_fields = config::kMostFields, .underscore = http1::Underscore::kPass};
}

upstream::Use Attempt::use() const {
  return request_.head.wants_websocket ? upstream::Use::kTunnel : upstream::Use::kRequest;
}

std::string_view Attempt::target_path() {
  const http::Target& target = request_.head.target;
  if (target.form == http::TargetForm::kAsterisk) return target.raw;
  const routing::RouteEntry& route = *request_.matched.route;
  if (route.settings.raw_path && !route.rewrite) return target.raw;
  std::string_view path = target.path;
  if (route.rewrite) path = route.rewrite->apply(path, request_.facts, request_.arena());
  return target.has_query ? request_.arena().concat(path, "?", target.query) : path;
}

std::string_view Attempt::target_host() {
  if (group_.host == "target") {
    const std::string_view address =
        request_.configuration->document.upstreams.at(group_.name).targets.at(member_.id).address;
    if (const auto service = config::service_name(address)) return config::domain_of(*service);
    return address.starts_with("unix:") ? "localhost" : address;   // a path is no host
  }
  return group_.host == "keep" ? request_.facts.authority : std::string_view(group_.host);
}

async::Task<bool> Attempt::connect() {
  const Instant began = request_.loop().now();
  const Deadline deadline = Deadline::after(began, request_.timeouts().connect).earlier_of(request_.total);
  auto opened = co_await upstream::open_exchange(member_.target, response_rules(), use(), deadline);
  if (!opened) {
    fault_ = opened.error();
    out_of_time_ = request_.total.passed(request_.loop().now());
    co_return false;
  }
  exchange_ = std::move(*opened);
  request_.connect = std::chrono::duration_cast<std::chrono::microseconds>(request_.loop().now() - began);
  co_return true;
}

bool Attempt::send_head() {
  const routing::RouteEntry& route = *request_.matched.route;
  http::Fields fields =
      make_request_fields(request_.facts, request_.fields_for_origin(), request_.identity, request_.arena());
  if (!route.request_edits.empty()) route.request_edits.apply(fields, request_.facts);
  http::ContentLength content = request_.head.content;
  if (request_.head.wants_websocket) content = {Kind::kTunnel};
  wait_for_continue_ = request_.exchange.awaits_continue();
  if (wait_for_continue_) fields.add(http::FieldName::kExpect, "100-continue");
  return exchange_->begin(
      {request_.head.method, request_.head.method_text, target_path(), target_host(), &fields, content});
}

void Attempt::begin_upload() {
  RelayLimits limits{Pace(request_.timeouts().client_body, kSlowestClient), Pace(request_.timeouts().between_bytes, 0)};
  limits.total = request_.total;
  limits.most = request_.matched.route->settings.limits.request_body.value_or(UINT64_MAX);
  upload_ = relay_content({request_.loop(), content_, exchange_->content(), limits});
}

// Waits until the head is on its way; whoever could not send it at once calls this.
async::Task<bool> Attempt::flush_head() {
  for (;;) {
    const net::Taken flushed = exchange_->content().flush();
    if (flushed.state == net::Taken::State::kMore) co_return true;
    if (flushed.state == net::Taken::State::kFailed) co_return false;
    const Deadline deadline = Deadline::after(request_.loop().now(), request_.timeouts().between_bytes);
    const bool ready = co_await exchange_->content().room(deadline.earlier_of(request_.total));
    if (!ready) co_return false;
  }
}

// The client holds its content back until someone says 100 (Continue): the origin decides. One that says nothing gets
// the content after a moment (RFC 9110 10.1.1).
async::Task<bool> Attempt::await_go_ahead() {
  const bool sent = co_await flush_head();
  if (!sent) co_return true;   // its response, if there is one, tells more
  const Deadline moment = Deadline::at(request_.loop().now() + kGoAheadWait);
  for (;;) {
    if (fault_ == Fault::kPending || !exchange_->has_unread()) {
      const bool arrived = co_await exchange_->readable(moment);
      if (!arrived) break;
    }
    fault_ = exchange_->receive_head();
    if (fault_ == Fault::kPending) continue;
    if (fault_ != Fault::kNone) co_return false;
    http::ResponseHead& response = exchange_->response();
    final_head_ = !response.is_interim();
    if (final_head_ || response.status == 100) co_return !final_head_;
    pass_interim(response);
  }
  fault_ = Fault::kNone;
  co_return true;
}

Attempt::Outcome Attempt::after_upload() {
  uploaded_ = upload_.take();
  upload_.cancel();
  switch (uploaded_.end) {
    case Relayed::End::kTooMuch: return Outcome::kContentTooLarge;
    case Relayed::End::kSourceFailed:
    case Relayed::End::kSourceTimeout: return Outcome::kClientFailed;
    case Relayed::End::kTotalTimeout: return Outcome::kTotalTimeout;
    default: return Outcome::kResponse;   // sent; or the origin took no more, and its response may say why
  }
}

// Until the content is sent or something arrives from the origin, whatever comes first.
async::Task<void> Attempt::await_upload_or_arrival() {
  async::Task<bool> arrived = arrival(*exchange_, Deadline::never());
  co_await async::first_of(upload_, arrived);
}

async::Task<Attempt::Outcome> Attempt::end_of_upload() {
  const Deadline moment = Deadline::at(request_.loop().now() + kUploadEndWait);
  async::Task<void> passed = pass_time(request_.loop(), moment.earlier_of(request_.total));
  co_await async::first_of(upload_, passed);
  co_return upload_.done() ? after_upload() : Outcome::kResponse;
}

void Attempt::pass_interim(http::ResponseHead& response) {
  if (response.status == 100) return;                         // the content is on its way already
  adapt_response_fields(response, false, request_.arena());   // it has no content (RFC 9110 8.6)
  request_.exchange.send_interim(response);
}

// Without content the head goes at once, with it beside the first of it. True when there was no room for the head.
bool Attempt::start_content() {
  if (!request_.head.content.is_empty()) {
    begin_upload();
    return false;
  }
  net::ContentSink& content = exchange_->content();
  const net::Taken sent = request_.head.wants_websocket ? content.flush() : content.finish(nullptr);
  return sent.state == net::Taken::State::kBlocked;
}

// Once the request is sent the origin has `first_byte` for its final head, whatever interim heads come before; as long
// as content is on its way, the upload's own deadlines hold.
async::Task<Attempt::Outcome> Attempt::run(bool fresh) {
  if (!fresh) exchange_ = upstream::reuse_connection(member_.target, response_rules(), use());
  if (!exchange_) {
    const bool connected = co_await connect();
    if (!connected) co_return out_of_time_ ? Outcome::kTotalTimeout : Outcome::kTargetFailed;
  }
  if (!send_head()) co_return Outcome::kHeadTooLarge;
  if (wait_for_continue_) {
    const bool go_ahead = co_await await_go_ahead();
    if (final_head_) co_return Outcome::kResponse;
    if (!go_ahead) co_return Outcome::kTargetFailed;
  }
  const bool head_waits = start_content();
  if (head_waits) (void)co_await flush_head();
  const config::MaybeDuration limit = request_.timeouts().first_byte;
  std::optional<Deadline> first_byte;
  bool pending = !exchange_->has_unread();
  for (;;) {
    if (uploading() && pending) co_await await_upload_or_arrival();
    if (upload_ && upload_.done()) {
      const Outcome uploaded = after_upload();
      if (uploaded != Outcome::kResponse) co_return uploaded;
    }
    const Fault fault = exchange_->receive_head();
    pending = fault == Fault::kPending;
    if (pending) {
      if (uploading()) continue;
      if (!first_byte) first_byte = Deadline::after(request_.loop().now(), limit);
      const bool arrived = co_await exchange_->readable(first_byte->earlier_of(request_.total));
      if (arrived) continue;
      if (request_.total.passed(request_.loop().now())) co_return Outcome::kTotalTimeout;
      co_return failed(Fault::kTimeout);
    }
    if (fault != Fault::kNone) co_return failed(fault);
    if (!exchange_->response().is_interim()) co_return Outcome::kResponse;
    pass_interim(exchange_->response());
  }
}

}   // namespace proxyd::proxy
