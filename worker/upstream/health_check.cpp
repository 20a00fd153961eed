#include "worker/upstream/health_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "worker/upstream/connector.h"
#include "worker/upstream/dial.h"
#include "worker/upstream/fault_finding.h"
#include "worker/upstream/grpc_health.h"

namespace proxyd::upstream {
namespace {

using config::CheckType;
using status::Finding;
using Opened = std::unique_ptr<Exchange>;

constexpr size_t kMostContent = 64 * 1024;
constexpr size_t kShown = 1024;
constexpr std::string_view kGrpcPath = "/grpc.health.v1.Health/Check";

// One check on its way. Lies in the frame of `check_health`.
class Asking {
 public:
  Asking(const std::shared_ptr<Target>& probe, const CheckRules& rules, std::string_view host)
      : probe_(probe),
        rules_(rules),
        host_(rules.active.host ? std::string_view(*rules.active.host) : host),
        began_(loop().now()),
        deadline_(Deadline::at(began_ + rules.active.timeout)) {}

  async::Task<Finding> run() {
    if (rules_.active.type == CheckType::kTcp) {
      auto dialled = co_await dial(*probe_, tls::ClientContext::Offer::kNothing, deadline_);
      co_return dialled ? Finding::kOk : finding_of(dialled.error()).value_or(Finding::kNoPlace);
    }
    auto opened = co_await open_exchange(probe_, {}, Use::kRequest, deadline_);
    if (!opened) co_return finding_of(opened.error()).value_or(Finding::kNoPlace);
    exchange_ = std::move(*opened);
    const bool sent = co_await send();
    if (!sent) co_return late() ? Finding::kNoAnswer : Finding::kBrokeOff;
    const Finding head = co_await receive_head();
    if (head != Finding::kOk) co_return head;
    const Finding answered = judge_head();
    if (answered != Finding::kOk && !is_grpc()) co_return answered;
    const bool wants_content = is_grpc() || rules_.active.expect_body;
    if (wants_content) {
      const Finding content = co_await receive_content();
      if (content != Finding::kOk) co_return content;
    }
    co_return answered != Finding::kOk ? answered : judge_content();
  }

  CheckResult result(Finding finding) {
    const int status = exchange_ && has_head_ ? exchange_->response().status : 0;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(loop().now() - began_);
    return {finding, status, took, is_grpc() ? std::string() : content_.substr(0, kShown)};
  }

 private:
  async::EventLoop& loop() const { return probe_->services().loop; }
  bool is_grpc() const { return rules_.active.type == CheckType::kGrpc; }
  bool late() const { return deadline_.passed(loop().now()); }

  // The head, and of gRPC the message, which is small; until they have left.
  async::Task<bool> send() {
    http::Fields fields(arena_);
    fields.add("User-Agent", "proxyd-health");
    for (const auto& [name, value] : rules_.fields) {
      fields.remove(std::string_view(name));
      fields.add(name, value);
    }
    if (is_grpc()) {
      message_ = grpc_health_request(rules_.active.service);
      fields.add("Content-Type", "application/grpc");
      fields.add("TE", "trailers");
    }
    const http::ContentLength length =
        is_grpc() ? http::ContentLength{http::ContentLength::Kind::kKnown, message_.size()} : http::ContentLength{};
    const auto method = is_grpc() ? http::Method::kPost : http::Method::kGet;
    const std::string_view path = is_grpc() ? kGrpcPath : std::string_view(rules_.active.path);
    if (!exchange_->begin({method, is_grpc() ? "POST" : "GET", path, host_, &fields, length})) co_return false;
    net::ContentSink& sink = exchange_->content();
    for (std::string_view left = message_; !left.empty();) {
      const net::Taken taken = sink.take(net::Piece::bytes(left), true);
      left.remove_prefix(taken.octets);
      if (taken.state == net::Taken::State::kFailed) co_return false;
      if (taken.state != net::Taken::State::kBlocked) continue;
      const bool room = co_await sink.room(deadline_);
      if (!room) co_return false;
    }
    net::Taken ended = sink.finished() ? sink.flush() : sink.finish(nullptr);
    while (ended.state == net::Taken::State::kBlocked) {
      const bool room = co_await sink.room(deadline_);
      if (!room) co_return false;
      ended = sink.flush();
    }
    co_return true;   // who took no more may have answered all the same
  }

  async::Task<Finding> receive_head() {
    for (;;) {
      const Fault fault = exchange_->receive_head();
      if (fault == Fault::kPending) {
        const bool arrived = co_await exchange_->readable(deadline_);
        if (!arrived) co_return Finding::kNoAnswer;
        continue;
      }
      if (fault != Fault::kNone) co_return finding_of(fault).value_or(Finding::kNoPlace);
      if (late()) co_return Finding::kNoAnswer;   // interim heads may come for ever
      if (exchange_->response().is_interim()) continue;
      has_head_ = true;
      co_return Finding::kOk;
    }
  }

  Finding judge_head() const {
    const int status = exchange_->response().status;
    if (is_grpc()) return status == 200 ? Finding::kOk : Finding::kStatus;
    const auto& ranges = rules_.active.expect_status;
    const bool expected = std::any_of(ranges.begin(), ranges.end(), [status](const config::StatusRange& range) {
      return status >= range.from && status <= range.to;
    });
    return expected ? Finding::kOk : Finding::kStatus;
  }

  // As much of it as is looked at.
  async::Task<Finding> receive_content() {
    net::ContentSource& source = exchange_->response_content();
    while (content_.size() < kMostContent) {
      const net::Offer offer = source.offer(net::PieceKinds::kBytes);
      if (offer.state == net::Offer::State::kEnd) co_return Finding::kOk;
      if (offer.state == net::Offer::State::kFailed)
        co_return offer.fault == net::ContentFault::kMalformed ? Finding::kMalformed : Finding::kBrokeOff;
      if (offer.state == net::Offer::State::kPending) {
        const bool more = co_await source.more(deadline_);
        if (!more) co_return Finding::kNoAnswer;
        continue;
      }
      content_.append(offer.piece.data, offer.piece.size);
      source.consumed(offer.piece.size);
    }
    co_return Finding::kOk;
  }

  Finding judge_content() const {
    if (is_grpc()) return judge_grpc();
    if (!rules_.active.expect_body) return Finding::kOk;
    return content_.find(*rules_.active.expect_body) == std::string::npos ? Finding::kContent : Finding::kOk;
  }

  // The call's own status comes in the trailers, or in the head when there is nothing else.
  Finding judge_grpc() const {
    const http::Fields* trailers = exchange_->response_content().trailers();
    const http::Field* status = trailers ? trailers->find("grpc-status") : nullptr;
    if (!status) status = exchange_->response().fields.find("grpc-status");
    if (!status) return Finding::kMalformed;
    if (status->value != "0") return Finding::kNotServing;
    const auto serving = grpc_health_status(content_);
    if (!serving) return Finding::kMalformed;
    return *serving == 1 ? Finding::kOk : Finding::kNotServing;
  }

  const std::shared_ptr<Target>& probe_;
  const CheckRules& rules_;
  std::string_view host_;
  Instant began_;
  Deadline deadline_;
  http::Arena arena_;
  std::string message_;
  std::string content_;
  std::unique_ptr<Exchange> exchange_;
  bool has_head_ = false;
};

}   // namespace

async::Task<CheckResult> check_health(std::shared_ptr<Target> probe, std::shared_ptr<const CheckRules> rules,
                                      std::string host) {
  Asking asking(probe, *rules, host);
  const Finding finding = co_await asking.run();
  co_return asking.result(finding);
}

std::string described(const CheckRules& rules) {
  const config::ActiveHealth& active = rules.active;
  switch (active.type) {
    case CheckType::kTcp: return "connect";
    case CheckType::kGrpc: return fmt::format("grpc.health.v1.Health/Check {}", active.service);
    case CheckType::kHttps: return fmt::format("GET {} by https", active.path);
    case CheckType::kHttp: break;
  }
  return fmt::format("GET {}", active.path);
}

}   // namespace proxyd::upstream
