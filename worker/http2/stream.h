#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "worker/http/arena.h"
#include "worker/http/head.h"
#include "worker/http/refusal.h"
#include "worker/http2/content_queue.h"
#include "worker/http2/error_code.h"
#include "worker/http2/intrusive_list.h"
#include "worker/http2/memory.h"
#include "worker/http2/news.h"
#include "worker/http2/outgoing.h"
#include "worker/http2/priority.h"

namespace proxyd::http2 {

class Session;

// One request and its answer on an HTTP/2 connection, in either role. Made by the session, in its memory, when a client
// opens it (server) or by `Session::open` (client); it lives until its owner calls `release`, whatever becomes of the
// stream meanwhile, and counts against the limit of streams as long. Then its memory is used again. Nothing suspends,
// and nothing throws but for want of memory; after a reset, a close or the connection's end every call is harmless.
//
// What arrives is recorded here and told as news, which the connection walks after `receive`. What is to be sent is
// recorded here too and leaves with the connection's next `produce`.
class Stream : private NumberedLink<0>, private NumberedLink<1>, private NumberedLink<2> {
 public:
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int32_t id() const { return id_; }
  // Memory of the request and its answer.
  http::Arena& arena() { return arena_; }
  // Whoever works on it; for the owner's use.
  void* owner = nullptr;

  // What has happened since the last call.
  News take_news();

  // -- received

  // Server: complete once News::kHead came. When it is refused, what had been understood.
  http::RequestHead& request() { return *request_; }
  const http::RequestHead& request() const { return *request_; }
  // Client: the final head, once News::kHead came.
  http::ResponseHead& response() { return *response_; }
  // Client: the interim heads in their order; null when all have been taken.
  const http::ResponseHead* next_interim();
  // What is wrong with the head, the content or the trailers. Where that makes the message malformed (RFC 9113 8.1.1),
  // the stream has been reset; else whoever answers says so with `http::status_of`.
  http::Refusal refusal() const { return refusal_; }

  // Content that has arrived, as much as lies together; valid until it is consumed.
  std::string_view content() const { return content_.front(); }
  size_t content_waiting() const { return content_.size(); }
  uint64_t content_received() const { return content_received_; }
  // So much is done with: the peer may send as much again.
  void consume(size_t octets);
  // All of the message has arrived; content may still wait to be consumed.
  bool received_all() const { return received_all_; }
  // Null when there are none, or not yet.
  const http::Fields* trailers() const { return trailers_ ? &*trailers_ : nullptr; }

  // Server: from the request's Priority field, and what PRIORITY_UPDATE said later (RFC 9218).
  Priority priority() const { return priority_; }

  // -- sent

  // Any number of them before the head. Server only.
  void submit_interim(int status, const http::Fields* fields);
  // The final head; with `end`, nothing follows it. False when it is larger than 56 KiB, or the
  // stream is gone. Server only. Texts are copied.
  bool submit_head(const OutgoingResponse& head, bool end);
  // Content, all of it the next octets in their order; with `last`, the end follows it. Valid for the next `produce`
  // only, which takes a part of it or all, see `taken`; it is void afterwards, and so are its texts. One stream of a
  // session has an offer at a time.
  void offer(std::span<const std::string_view> pieces, bool last);
  Taken taken() const { return taken_; }
  // The end of the content, with trailers or without, once all that was offered has been taken. Leaves with the next
  // `produce`.
  void finish(const http::Fields* trailers);
  bool sent_all() const { return sent_all_; }
  // The end waits for the peer's windows, as nghttp2 has it even where it carries nothing: News::kRoom will come.
  void wait_for_window();

  // Ends the stream here and now; content that waits is dropped. Nothing after `sent_all` and `received_all`.
  void reset(ErrorCode code);

  // -- its state

  bool is_reset() const { return reset_; }
  bool reset_by_peer() const { return reset_by_peer_; }
  ErrorCode reset_code() const { return reset_code_; }
  // Nothing more can be sent or received.
  bool is_closed() const { return closed_; }

  // The owner is done with it. What has not been sent is dropped and the client told by a reset: NO_ERROR when the
  // answer was whole and only the request was not (RFC 9113 8.1), else CANCEL. It may be destroyed at once.
  void release();

 private:
  friend class Session;
  friend class SessionCallbacks;
  template <class Item, int number>
  friend class IntrusiveList;

  struct Interim;

  Stream(Session& session, int32_t id);
  ~Stream();

  // `arrived` octets have become content, or none; gives the connection's window back what the stream doesn't owe.
  void settle_credit(size_t arrived);
  void mark_reset(ErrorCode code, bool by_peer);
  void keep_interim();
  bool submit_trailers(const http::Fields& trailers);
  void keep_trailers(const http::Fields& trailers);
  void note_head_sent();
  // What waits and will not be consumed.
  void drop_content();
  bool can_send() const { return !reset_ && !closed_ && !sent_all_; }
  size_t copy_offered(char* to, size_t octets);

  Session& session_;
  int32_t id_;
  News news_ = News::kNone;

  http::Arena arena_;
  std::optional<http::RequestHead> request_;
  std::optional<http::ResponseHead> response_;
  std::optional<http::Fields> trailers_;
  std::optional<http::Fields> kept_trailers_;   // to be sent when the head is
  Interim* first_interim_ = nullptr;
  Interim* last_interim_ = nullptr;
  ContentQueue content_;
  uint64_t content_received_ = 0;
  uint64_t content_due_ = 0;   // when the length is known
  size_t credit_owed_ = 0;     // to the connection's window
  http::Refusal refusal_ = http::Refusal::kNone;
  Priority priority_;
  ErrorCode reset_code_ = ErrorCode::kNoError;
  uint8_t interims_ = 0;

  std::span<const std::string_view> offered_;
  size_t offered_octets_ = 0;   // of `offered_`
  size_t piece_ = 0;            // the next octet to go is in this one …
  size_t piece_at_ = 0;         // … and there
  Taken taken_;

  std::string_view block_;   // of a head that is on its way: the fields behind the pseudo-fields, encoded
  http::Method method_ = http::Method::kGet;   // client: of the request
  bool length_known_ = false;
  bool has_head_ = false;   // final
  bool received_all_ = false;
  bool head_submitted_ = false;
  bool head_sent_ = false;
  bool offer_is_last_ = false;
  bool offering_ = false;
  bool finishing_ = false;
  bool provider_waits_ = false;   // nghttp2 has to be told when there is content
  bool sent_all_ = false;
  bool reset_ = false;
  bool reset_by_peer_ = false;
  bool closed_ = false;
};

}   // namespace proxyd::http2
