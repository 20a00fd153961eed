#include "worker/http2/session_callbacks.h"

#include <algorithm>
#include <new>
#include <utility>

#include "worker/http2/message_head.h"

namespace proxyd::http2 {
namespace {

constexpr uint8_t kMostInterims = 16;

std::string_view text(const uint8_t* octets, size_t size) { return {reinterpret_cast<const char*>(octets), size}; }

Session& session_of(void* session) { return *static_cast<Session*>(session); }

// What a recording function throws for want of memory: nghttp2 ends with it, and the connection too.
template <class Function>
int record(Function function) {
  try {
    function();
    return 0;
  } catch (const std::bad_alloc&) {
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
}

Fault fault_of(const nghttp2_frame& frame, int error) {
  if (error == NGHTTP2_ERR_STREAM_CLOSED) return Fault::kStreamClosed;
  if (error == NGHTTP2_ERR_HEADER_COMP) return Fault::kHpack;
  switch (frame.hd.type) {
    case NGHTTP2_RST_STREAM: return Fault::kIdleReset;
    case NGHTTP2_SETTINGS: return Fault::kSettings;
    case NGHTTP2_GOAWAY: return Fault::kGoaway;
    case NGHTTP2_WINDOW_UPDATE: return error == NGHTTP2_ERR_FLOW_CONTROL ? Fault::kWindowOverflow : Fault::kIdleStream;
    default: return Fault::kProtocol;
  }
}

// What nghttp2 found by itself and says by GOAWAY only.
Fault fault_of(const nghttp2_goaway& goaway) {
  const std::string_view why = text(goaway.opaque_data, goaway.opaque_data_len);
  switch (goaway.error_code) {
    case NGHTTP2_COMPRESSION_ERROR: return Fault::kHpack;
    case NGHTTP2_FRAME_SIZE_ERROR: return Fault::kFrameSize;
    case NGHTTP2_FLOW_CONTROL_ERROR: return Fault::kWindowOverflow;
    case NGHTTP2_STREAM_CLOSED: return Fault::kStreamClosed;
    case NGHTTP2_INTERNAL_ERROR: return Fault::kResetFlood;
    default: break;
  }
  if (why.find("padding") != std::string_view::npos) return Fault::kPadding;
  return why.find("idle") != std::string_view::npos ? Fault::kIdleStream : Fault::kProtocol;
}

// Not an interim response, which may go before the head that has been submitted.
bool is_final(const nghttp2_headers& headers) {
  const nghttp2_nv& first = headers.nva[0];
  return headers.nvlen > 0 && !(text(first.name, first.namelen) == ":status" && first.value[0] == '1');
}

}   // namespace

nghttp2_session_callbacks* SessionCallbacks::make() {
  nghttp2_session_callbacks* table = nullptr;
  if (nghttp2_session_callbacks_new(&table) != 0) throw std::bad_alloc();
  nghttp2_session_callbacks_set_on_begin_headers_callback(table, on_begin_headers);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table, on_data_chunk);
  nghttp2_session_callbacks_set_on_frame_recv_callback(table, on_frame_received);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(table, on_invalid_frame);
  nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(table, on_extension_chunk);
  nghttp2_session_callbacks_set_unpack_extension_callback(table, on_extension_end);
  nghttp2_session_callbacks_set_on_stream_close_callback(table, on_stream_closed);
  nghttp2_session_callbacks_set_on_frame_send_callback(table, on_frame_sent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(table, on_frame_not_sent);
  nghttp2_session_callbacks_set_send_data_callback(table, send_content);
  return table;
}

// Made once and kept for the process's life.
const nghttp2_session_callbacks* SessionCallbacks::table() {
  static const nghttp2_session_callbacks* const table = make();
  return table;
}

void SessionCallbacks::begin_request(Session& session, int32_t id) {
  if (session.streams_ >= session.settings_.max_streams) {
    nghttp2_submit_rst_stream(session.nghttp2_, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    session.charge(Fault::kRefusedFlood);
    return;
  }
  Stream* stream = session.make_stream(id);
  nghttp2_session_set_stream_user_data(session.nghttp2_, id, stream);
  stream->request_.emplace(stream->arena_);
  stream->request_->version = http::Version::kHttp2;   // also of one that is refused
  session.section_.begin(FieldSection::Kind::kRequest, stream->request_->fields);
  session.current_ = stream;
}

int SessionCallbacks::on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Session& session = session_of(user);
  session.current_ = nullptr;
  session.current_is_trailers_ = false;
  if (session.fault_ != Fault::kNone) return 0;
  return record([&] {
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) return begin_request(session, frame->hd.stream_id);
    Stream* stream = session.find(frame->hd.stream_id);
    if (!stream || stream->reset_) return;
    session.current_ = stream;
    if (stream->has_head_) {
      session.current_is_trailers_ = true;
      stream->trailers_.emplace(stream->arena_);
      session.section_.begin(FieldSection::Kind::kTrailers, *stream->trailers_);
    } else {
      stream->response_.emplace(stream->arena_);
      session.section_.begin(FieldSection::Kind::kResponse, stream->response_->fields);
    }
  });
}

void SessionCallbacks::end_request(Session& session, Stream& stream, bool ends) {
  http::RequestHead& head = *stream.request_;
  head.size.section = session.section_.list_size();
  head.size.field_lines = session.section_.field_lines();
  http::Refusal refusal = session.section_.end();
  if (refusal == http::Refusal::kNone) {
    refusal = understand_request(session.section_.pseudo(), ends, session.settings_, session.last_authority_, head);
  }
  stream.has_head_ = true;
  stream.received_all_ = ends;
  stream.length_known_ = head.content.kind == http::ContentLength::Kind::kKnown;
  stream.content_due_ = head.content.bytes;
  const Priority early = session.early_priority(static_cast<uint32_t>(stream.id_));
  stream.priority_ = early == Priority{} ? session.section_.priority() : early;
  session.tell(stream, ends ? News::kHead | News::kEnd : News::kHead);
  if (refusal == http::Refusal::kNone) return;
  stream.refusal_ = refusal;
  if (is_malformed(refusal)) return session.refuse(stream, refusal);
  // A list beyond what is allowed costs us more than it costs the client.
  const bool large = session.section_.list_size() > size_t{4} * session.settings_.max_header_list;
  if (large) session.charge(Fault::kHeaderFlood, 10);
}

void SessionCallbacks::end_response(Session& session, Stream& stream, bool ends) {
  http::ResponseHead& head = *stream.response_;
  http::Refusal refusal = session.section_.end();
  if (refusal == http::Refusal::kNone) {
    refusal = understand_response(session.section_.pseudo(), ends, stream.method_, head);
  }
  if (refusal != http::Refusal::kNone) return session.refuse(stream, refusal);
  if (head.is_interim()) {
    if (++stream.interims_ > kMostInterims) return session.refuse(stream, http::Refusal::kInterimMany);
    stream.keep_interim();
    return session.tell(stream, News::kInterim);
  }
  stream.has_head_ = true;
  stream.received_all_ = ends;
  const auto kind = head.content.kind;
  stream.length_known_ = kind == http::ContentLength::Kind::kKnown || kind == http::ContentLength::Kind::kNone;
  stream.content_due_ = head.content.bytes;
  session.tell(stream, ends ? News::kHead | News::kEnd : News::kHead);
}

void SessionCallbacks::end_trailers(Session& session, Stream& stream, bool ends) {
  const http::Refusal refusal = session.section_.end();
  if (refusal != http::Refusal::kNone) {
    stream.trailers_.reset();
    return session.refuse(stream, is_malformed(refusal) ? refusal : http::Refusal::kTrailerSyntax);
  }
  if (!ends) return session.refuse(stream, http::Refusal::kTrailerNoEnd);
  end_content(session, stream);
}

void SessionCallbacks::end_content(Session& session, Stream& stream) {
  if (!stream.has_head_) return session.refuse(stream, http::Refusal::kPseudoMissing);
  if (stream.length_known_ && stream.content_due_ > 0) return session.refuse(stream, http::Refusal::kLengthMismatch);
  stream.received_all_ = true;
  session.tell(stream, News::kEnd);
}

void SessionCallbacks::end_headers(Session& session) {
  Stream& stream = *session.current_;
  if (stream.reset_) return;
  if (session.current_is_trailers_) return end_trailers(session, stream, session.current_ends_);
  if (session.role_ == Role::kServer) return end_request(session, stream, session.current_ends_);
  end_response(session, stream, session.current_ends_);
}

void SessionCallbacks::take_content(Session& session, Stream& stream, std::string_view octets) {
  if (!stream.has_head_) {   // of a response; a request's stream begins with it
    session.refuse(stream, http::Refusal::kPseudoMissing);
    return stream.settle_credit(octets.size());
  }
  if (stream.length_known_) {
    if (octets.size() > stream.content_due_) {
      session.refuse(stream, http::Refusal::kLengthMismatch);
      return stream.settle_credit(octets.size());
    }
    stream.content_due_ -= octets.size();
  }
  stream.content_received_ += octets.size();
  stream.content_.append(octets);
  stream.settle_credit(octets.size());
  session.tell(stream, News::kContent);
}

int SessionCallbacks::on_data_chunk(nghttp2_session* nghttp2, uint8_t, int32_t id, const uint8_t* data, size_t size,
                                    void* user) {
  Session& session = session_of(user);
  if (session.fault_ != Fault::kNone) return 0;
  Stream* stream = session.find(id);
  if (!stream || stream->reset_) {
    nghttp2_session_consume_connection(nghttp2, size);
    return 0;
  }
  return record([&] { take_content(session, *stream, text(data, size)); });
}

void SessionCallbacks::take_reset(Session& session, Stream& stream, uint32_t code) {
  if (stream.reset_) return;
  stream.mark_reset(static_cast<ErrorCode>(code), true);
  session.tell(stream, News::kReset);
}

void SessionCallbacks::take_window_update(Session& session, int32_t id) {
  if (id == 0) return session.wake_blocked();
  Stream* stream = session.find(id);
  if (stream && session.blocked_.holds(*stream)) session.wake_blocked();
}

int SessionCallbacks::on_frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Session& session = session_of(user);
  if (session.fault_ != Fault::kNone) return 0;
  const nghttp2_frame_hd& head = frame->hd;
  return record([&] {
    switch (head.type) {
      case NGHTTP2_HEADERS: session.current_ends_ = (head.flags & NGHTTP2_FLAG_END_STREAM) != 0; return;
      case NGHTTP2_DATA: {
        Stream* stream = session.find(head.stream_id);
        const bool ends = (head.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (!ends && head.length > 0 && head.length == frame->data.padlen) session.charge(Fault::kEmptyDataFlood);
        if (ends && stream && !stream->reset_) end_content(session, *stream);
        return;
      }
      case NGHTTP2_RST_STREAM: {
        session.last_reset_received_ = head.stream_id;
        session.counters_.resets_received[index_of(static_cast<ErrorCode>(frame->rst_stream.error_code))].add();
        if (Stream* stream = session.find(head.stream_id)) take_reset(session, *stream, frame->rst_stream.error_code);
        return;
      }
      case NGHTTP2_SETTINGS:
        if ((head.flags & NGHTTP2_FLAG_ACK) != 0) {
          --session.settings_unacknowledged_;
          session.decoder_.set_limit(session.settings_.header_table);
        } else {
          session.received_preface_ = true;
          session.wake_blocked();
        }
        return;
      case NGHTTP2_WINDOW_UPDATE: return take_window_update(session, head.stream_id);
      case NGHTTP2_GOAWAY: session.received_goaway_ = true; return;
      default: return;
    }
  });
}

// Errors of a stream come here as well as those of the connection: of the former there is one only.
int SessionCallbacks::on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error, void* user) {
  Session& session = session_of(user);
  if (session.fault_ != Fault::kNone) return 0;
  const int32_t id = frame->hd.stream_id;
  const bool of_stream = frame->hd.type == NGHTTP2_WINDOW_UPDATE && id != 0 && error == NGHTTP2_ERR_FLOW_CONTROL;
  if (!of_stream) {
    session.note_fault(fault_of(*frame, error), id);
    return 0;
  }
  session.charge(Fault::kSelfResetFlood);   // and again when the reset is sent: what was read with it is not looked at
  if (Stream* stream = session.find(id); stream && !stream->reset_) {
    stream->mark_reset(ErrorCode::kFlowControlError, false);
    session.tell(*stream, News::kReset);
  }
  return 0;
}

int SessionCallbacks::on_extension_chunk(nghttp2_session*, const nghttp2_frame_hd* head, const uint8_t* data,
                                         size_t size, void* user) {
  Session& session = session_of(user);
  if (head->length > session.update_.size()) return NGHTTP2_ERR_CANCEL;
  text(data, size).copy(session.update_.data() + session.update_size_, size);
  session.update_size_ += size;
  return 0;
}

int SessionCallbacks::on_extension_end(nghttp2_session*, void**, const nghttp2_frame_hd*, void* user) {
  Session& session = session_of(user);
  const std::string_view payload(session.update_.data(), session.update_size_);
  session.update_size_ = 0;
  if (session.fault_ != Fault::kNone || payload.size() < 4) return NGHTTP2_ERR_CANCEL;
  uint32_t id = 0;
  for (const char c : payload.substr(0, 4)) id = id << 8 | static_cast<uint8_t>(c);
  session.remember_priority(id & 0x7FFFFFFF, payload.substr(4));
  return NGHTTP2_ERR_CANCEL;   // nothing is to be told further
}

int SessionCallbacks::on_stream_closed(nghttp2_session* nghttp2, int32_t id, uint32_t code, void* user) {
  Session& session = session_of(user);
  const bool peer_ended =
      id == session.last_reset_received_ || nghttp2_session_get_stream_remote_close(nghttp2, id) == 1;
  if (!peer_ended) session.ended_.add(static_cast<uint32_t>(id));
  Stream* stream = session.sending(id);
  if (!stream) return 0;
  if (code != NGHTTP2_NO_ERROR && !stream->reset_) {   // by nghttp2, or because of GOAWAY
    stream->mark_reset(static_cast<ErrorCode>(code), session.received_goaway_);
    session.tell(*stream, News::kReset);
  }
  stream->closed_ = true;
  session.tell(*stream, News::kClosed);
  return 0;
}

int SessionCallbacks::on_frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Session& session = session_of(user);
  const nghttp2_frame_hd& head = frame->hd;
  const auto type = static_cast<size_t>(frame_type_from(head.type));
  session.counters_.frames_sent[type].add();
  session.counters_.octets_sent[type].add(head.length);
  switch (head.type) {
    case NGHTTP2_DATA:
    case NGHTTP2_HEADERS: {
      Stream* stream = session.sending(head.stream_id);
      if (!stream) return 0;
      if ((head.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        stream->sent_all_ = true;
        session.budget_.give_back();
      }
      if (head.type == NGHTTP2_DATA) session.prepaid_ = std::min(session.prepaid_ + 2, Session::kMostPrepaid);
      const bool is_head = head.type == NGHTTP2_HEADERS && stream->head_submitted_ && is_final(frame->headers);
      if (is_head) session.block_behind_ = std::exchange(stream->block_, {});
      if (is_head) session.counters_.octets_sent[type].add(session.block_behind_.size());
      if (is_head && session.blocked_.holds(*stream)) {   // by the peer's limit of streams
        session.blocked_.remove(*stream);
        session.tell(*stream, News::kRoom);
      }
      return is_head ? record([stream] { stream->note_head_sent(); }) : 0;
    }
    case NGHTTP2_RST_STREAM: {
      session.counters_.resets_sent[index_of(static_cast<ErrorCode>(frame->rst_stream.error_code))].add();
      // Ours have been charged; this code is nghttp2's alone.
      if (frame->rst_stream.error_code == NGHTTP2_FLOW_CONTROL_ERROR) session.charge(Fault::kSelfResetFlood);
      return 0;
    }
    case NGHTTP2_GOAWAY:
      if (frame->goaway.error_code != NGHTTP2_NO_ERROR) session.note_fault(fault_of(frame->goaway));
      return 0;
    default: return 0;
  }
}

// A head that could not be sent leaves its stream without an answer; of a request nghttp2 closes the stream.
int SessionCallbacks::on_frame_not_sent(nghttp2_session* nghttp2, const nghttp2_frame* frame, int, void* user) {
  Session& session = session_of(user);
  Stream* stream = frame->hd.type == NGHTTP2_HEADERS ? session.find(frame->hd.stream_id) : nullptr;
  if (!stream || stream->reset_ || stream->closed_ || session.role_ == Role::kClient) return 0;
  stream->mark_reset(ErrorCode::kInternalError, false);
  session.tell(*stream, News::kReset);
  nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
  return 0;
}

}   // namespace proxyd::http2
