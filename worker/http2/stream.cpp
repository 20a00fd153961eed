#include "worker/http2/stream.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "worker/http2/field_encoder.h"
#include "worker/http2/header_list.h"
#include "worker/http2/session.h"
#include "worker/http2/session_callbacks.h"

namespace proxyd::http2 {
namespace {

using http::FieldName;

constexpr size_t kLengthField = 32;

std::string_view status_text(int status, http::Arena& arena) {
  char* text = arena.allocate_text(3);
  text[0] = static_cast<char>('0' + status / 100 % 10);
  text[1] = static_cast<char>('0' + status / 10 % 10);
  text[2] = static_cast<char>('0' + status % 10);
  return {text, 3};
}

}   // namespace

struct Stream::Interim {
  http::ResponseHead head;
  Interim* next;
};

Stream::Stream(Session& session, int32_t id) : session_(session), id_(id), content_(session.memory_) {}

Stream::~Stream() = default;

News Stream::take_news() { return std::exchange(news_, News::kNone); }

// Lies in the arena and is not destroyed; the head is a value of views.
void Stream::keep_interim() {
  auto* interim = new (arena_.allocate(sizeof(Interim), alignof(Interim))) Interim{*response_, nullptr};
  (last_interim_ ? last_interim_->next : first_interim_) = interim;
  last_interim_ = interim;
}

const http::ResponseHead* Stream::next_interim() {
  Interim* interim = first_interim_;
  if (!interim) return nullptr;
  first_interim_ = interim->next;
  if (!first_interim_) last_interim_ = nullptr;
  return &interim->head;
}

void Stream::settle_credit(size_t arrived) {
  const size_t owed = std::min(content_.size(), session_.share_);
  const size_t credit = credit_owed_ + arrived - owed;
  credit_owed_ = owed;
  if (credit > 0 && !session_.broken_) nghttp2_session_consume_connection(session_.nghttp2_, credit);
}

void Stream::consume(size_t octets) {
  octets = std::min(octets, content_.size());
  if (octets == 0) return;
  content_.consume(octets);
  settle_credit(0);
  const bool more_may_come = !received_all_ && !reset_ && !closed_ && !session_.broken_;
  if (more_may_come) nghttp2_session_consume_stream(session_.nghttp2_, id_, octets);
}

void Stream::drop_content() {
  content_.clear();
  settle_credit(0);
}

// A response that is whole stays: its server wants no more of the request, that is all (RFC 9113 8.1).
void Stream::mark_reset(ErrorCode code, bool by_peer) {
  reset_ = true;
  reset_by_peer_ = by_peer;
  reset_code_ = code;
  const bool client = session_.role_ == Role::kClient;
  const bool whole = client && received_all_ && refusal_ == http::Refusal::kNone;
  if (!whole) {
    drop_content();
    news_ = without(news_, News::kContent);
  }
  const bool answered = has_head_ || interims_ > 0;   // whatever it says, it has looked at the request
  if (client && !answered && code == ErrorCode::kRefusedStream) news_ = news_ | News::kUnsent;
}

void Stream::submit_interim(int status, const http::Fields* fields) {
  if (!can_send() || head_submitted_) return;
  HeaderList list(arena_, http::bit_of(FieldName::kContentLength));
  list.add_ready(":status", status_text(status, arena_));
  if (fields) list.add(*fields);
  if (list.too_large()) return;
  nghttp2_submit_headers(session_.nghttp2_, NGHTTP2_FLAG_NONE, id_, nullptr, list.data(), list.size(), nullptr);
}

bool Stream::submit_head(const OutgoingResponse& head, bool end) {
  if (!can_send() || head_submitted_) return false;
  const bool framed = head.status != 204 && head.status != 304;
  const bool known = framed && head.content.kind == http::ContentLength::Kind::kKnown;
  const uint64_t unwanted = known ? http::bit_of(FieldName::kContentLength) : 0;
  HeaderList list(arena_, unwanted);
  list.add_ready(":status", status_text(head.status, arena_));
  const auto add_all = [&](auto& to) {
    for (const std::string_view lines : head.lines) to.add_lines(lines);
    if (head.fields) to.add(*head.fields);
  };
  size_t size = head.fields ? FieldEncoder::size_of(*head.fields) : 0;
  for (const std::string_view lines : head.lines) size += lines.size();
  const bool encodes = session_.encodes(size);
  FieldEncoder encoder(arena_, encodes ? size + kLengthField : 0, unwanted);
  if (encodes) {
    add_all(encoder);
    if (known) encoder.add_length(head.content.bytes);
  } else {
    add_all(list);
    if (known) list.add_ready("content-length", arena_.number(head.content.bytes));
  }
  block_ = encoder.block();
  if (list.too_large()) return false;
  const nghttp2_data_provider provider{{.ptr = this}, SessionCallbacks::read_content};
  head_submitted_ =
      nghttp2_submit_response(session_.nghttp2_, id_, list.data(), list.size(), end ? nullptr : &provider) == 0;
  return head_submitted_;
}

void Stream::offer(std::span<const std::string_view> pieces, bool last) {
  taken_ = {};
  if (!can_send() || !head_submitted_ || finishing_) {
    taken_.stop = Taken::Stop::kGone;
    return;
  }
  assert(!session_.offering_ || session_.offering_ == this);
  session_.offering_ = this;
  session_.blocked_.remove(*this);
  offering_ = true;
  offered_ = pieces;
  offer_is_last_ = last;
  piece_ = piece_at_ = offered_octets_ = 0;
  for (const std::string_view piece : pieces) offered_octets_ += piece.size();
  if (std::exchange(provider_waits_, false)) nghttp2_session_resume_data(session_.nghttp2_, id_);
}

// The next octets of the offer, which has as many.
size_t Stream::copy_offered(char* to, size_t octets) {
  taken_.octets += octets;
  for (size_t left = octets; left > 0;) {
    const std::string_view piece = offered_[piece_].substr(piece_at_);
    const size_t some = std::min(left, piece.size());
    std::memcpy(to, piece.data(), some);
    to += some;
    left -= some;
    piece_at_ += some;
    if (piece_at_ == offered_[piece_].size()) {
      ++piece_;
      piece_at_ = 0;
    }
  }
  return octets;
}

void Stream::finish(const http::Fields* trailers) {
  if (!can_send() || !head_submitted_ || finishing_) return;
  assert(!offering_);
  finishing_ = true;
  if (trailers && !trailers->empty() && !head_sent_ && session_.role_ == Role::kClient) return keep_trailers(*trailers);
  if (trailers && !trailers->empty() && submit_trailers(*trailers)) return;
  if (std::exchange(provider_waits_, false)) nghttp2_session_resume_data(session_.nghttp2_, id_);
}

// False when there are none that may go.
bool Stream::submit_trailers(const http::Fields& trailers) {
  HeaderList list(arena_, http::bit_of(FieldName::kContentLength) | http::bit_of(FieldName::kHost));
  list.add(trailers);
  if (list.size() == 0 || list.too_large()) return false;
  nghttp2_submit_trailer(session_.nghttp2_, id_, list.data(), list.size());
  return true;
}

// A request's head waits for its turn among others, and nghttp2 would send the trailers before it.
void Stream::keep_trailers(const http::Fields& trailers) {
  kept_trailers_.emplace(arena_);
  for (const http::Field& field : trailers)
    kept_trailers_->add({arena_.copy(field.name), arena_.copy(field.value), field.known});
}

void Stream::note_head_sent() {
  head_sent_ = true;
  if (kept_trailers_) (void)submit_trailers(*kept_trailers_);
}

void Stream::reset(ErrorCode code) {
  if (reset_ || closed_ || (sent_all_ && received_all_)) return;
  mark_reset(code, false);
  if (session_.broken_) return;
  nghttp2_submit_rst_stream(session_.nghttp2_, NGHTTP2_FLAG_NONE, id_, static_cast<uint32_t>(code));
  if (blames_peer(code)) session_.charge(Fault::kSelfResetFlood);
}

void Stream::wait_for_window() {
  if (!reset_ && !closed_ && !session_.blocked_.holds(*this)) session_.blocked_.append(*this);
}

void Stream::release() {
  Session& session = session_;
  if (!closed_ && !session.broken_) {
    const bool whole = session.role_ == Role::kServer && sent_all_;
    if (!reset_) reset(whole ? ErrorCode::kNoError : ErrorCode::kCancel);
    nghttp2_session_set_stream_user_data(session.nghttp2_, id_, nullptr);
  }
  drop_content();
  session.destroy(*this);
}

}   // namespace proxyd::http2
