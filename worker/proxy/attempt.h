#pragma once

#include <memory>
#include <optional>

#include "worker/async/task.h"
#include "worker/proxy/relay/held_content.h"
#include "worker/proxy/relay/relay_content.h"
#include "worker/proxy/request.h"
#include "worker/upstream/connector.h"
#include "worker/upstream/incoming.h"

namespace proxyd::proxy {

// One try of a request at one target: the exchange, and the request's content on its way there, which may go on while
// the response already comes. Lies in its fetch; destroying it abandons both.
class Attempt {
 public:
  // `place`: in the count of the member's target.
  Attempt(Request& request, HeldContent& content, const upstream::UpstreamGroup& group, const upstream::Member& member,
          upstream::InFlight place)
      : request_(request), content_(content), group_(group), member_(member), in_flight_(std::move(place)) {}

  // What came of it: the head of a final response, or why there is none.
  enum class Outcome : uint8_t {
    kResponse,
    kTargetFailed,
    kClientFailed,
    kContentTooLarge,
    kHeadTooLarge,
    kTotalTimeout
  };

  // Connects, sends, and waits for the final head. Suspends. `fresh`: on a new connection.
  async::Task<Outcome> run(bool fresh);

  upstream::Exchange& exchange() { return *exchange_; }
  // Of the response's content, on its way to the client.
  RelayLimits response_limits() const;
  // For whoever goes on with the response in its place; after that there is no exchange here.
  upstream::Incoming hand_over() { return {std::move(exchange_), std::move(in_flight_)}; }
  // For another attempt at the same target; after that there is no place here.
  upstream::InFlight take_place() { return std::move(in_flight_); }
  // Tells passive health what the target made of the request so far, and at its content's end.
  void report(Outcome outcome);
  void report_end(const Relayed& relayed);
  upstream::Fault fault() const { return fault_; }
  // Of the client, for kClientFailed.
  const Relayed& upload() const { return uploaded_; }
  bool was_cut() const { return fault_ == upstream::Fault::kCut || fault_ == upstream::Fault::kCutConnecting; }
  bool uploading() const { return upload_ && !upload_.done(); }
  // It may have ended since anyone looked.
  bool has_upload() const { return static_cast<bool>(upload_); }
  void stop_upload() { upload_.cancel(); }
  // Until the upload has ended or `other` has. Suspends.
  auto upload_or(async::Task<Relayed>& other) { return async::first_of(upload_, other); }
  // Waits a moment for the end of an upload whose response is here already. kResponse too where it goes on. Suspends.
  async::Task<Outcome> end_of_upload();
  // What the end of the upload means for the request; kResponse when that may go on.
  Outcome after_upload();
  // The connection came from the pool and had ended before any of the request arrived, or it ends and does not take it.
  bool was_stale() const {
    if (fault_ == upstream::Fault::kGoingAway) return true;
    return fault_ == upstream::Fault::kClosedUnanswered && exchange_ && exchange_->on_reused_connection() &&
           exchange_->request_untaken();
  }

 private:
  async::Task<bool> connect();
  bool send_head();
  void begin_upload();
  async::Task<bool> flush_head();
  async::Task<bool> await_go_ahead();
  bool start_content();
  async::Task<void> await_upload_or_arrival();
  void pass_interim(http::ResponseHead& response);
  Outcome failed(upstream::Fault fault);
  std::string_view target_host();
  std::string_view target_path();
  http1::HeadRules response_rules() const;
  upstream::Use use() const;

  Request& request_;
  HeldContent& content_;
  const upstream::UpstreamGroup& group_;
  const upstream::Member& member_;
  upstream::InFlight in_flight_;
  std::unique_ptr<upstream::Exchange> exchange_;
  async::Task<Relayed> upload_;
  Relayed uploaded_;
  upstream::Fault fault_ = upstream::Fault::kNone;
  bool wait_for_continue_ = false;
  bool final_head_ = false;
  bool out_of_time_ = false;   // the request's own, before there was a connection
};

}   // namespace proxyd::proxy
