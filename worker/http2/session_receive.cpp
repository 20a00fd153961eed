#include <algorithm>
#include <new>

#include "worker/http2/session_callbacks.h"

namespace proxyd::http2 {
namespace {

// Frames of the connection that name a stream are no fault of that stream.
int32_t stream_at_fault(const FrameHead& frame) {
  switch (frame.type) {
    case FrameType::kSettings:
    case FrameType::kPing:
    case FrameType::kGoaway:
    case FrameType::kPriorityUpdate: return 0;
    default: return static_cast<int32_t>(frame.stream);
  }
}

}   // namespace

void Session::pass_on(std::string_view octets) {
  if (octets.empty() || broken_) return;
  const auto* data = reinterpret_cast<const uint8_t*>(octets.data());
  const ssize_t taken = nghttp2_session_mem_recv(nghttp2_, data, octets.size());
  if (taken >= 0) return;
  switch (taken) {
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC: return note_fault(Fault::kPreface);
    case NGHTTP2_ERR_FLOODED: return note_fault(Fault::kSettingsFlood);   // acknowledgements that nobody reads
    default: broken_ = true; return note_fault(Fault::kNoMemory);
  }
}

// In the middle of a frame or a header block, so that nothing behind it can be understood.
void Session::give_up_for_memory() {
  current_ = nullptr;
  broken_ = true;
  note_fault(Fault::kNoMemory);
}

Stream* Session::find(int32_t id) const {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(nghttp2_, id));
}

void Session::tell(Stream& stream, News news) {
  stream.news_ = stream.news_ | news;
  news_.append(stream);
}

// What we send makes a client measure the way and open its windows: a PING and a small WINDOW_UPDATE for each of our
// DATA frames are paid for (gRPC's clients do so).
void Session::charge(Fault flood, uint32_t cost) {
  const bool answers_data = flood == Fault::kPingFlood || flood == Fault::kWindowFlood;
  if (answers_data && prepaid_ > 0) {
    --prepaid_;
    return;
  }
  if (role_ != Role::kServer || budget_.charge(now_ms_, cost)) return;
  note_fault(flood);
}

void Session::refuse(Stream& stream, http::Refusal refusal) {
  stream.refusal_ = refusal;
  stream.mark_reset(ErrorCode::kProtocolError, false);
  if (!stream.closed_) nghttp2_submit_rst_stream(nghttp2_, NGHTTP2_FLAG_NONE, stream.id_, NGHTTP2_PROTOCOL_ERROR);
  tell(stream, News::kReset);
  charge(Fault::kSelfResetFlood);
}

// A frame that is an error of its stream alone.
void Session::reset_for(const Verdict& verdict, int32_t id) {
  charge(Fault::kSelfResetFlood);
  if (nghttp2_session_get_stream_remote_close(nghttp2_, id) < 0) return;   // there is none
  if (Stream* stream = find(id); stream && !stream->reset_) {
    stream->mark_reset(verdict.reset, false);
    tell(*stream, News::kReset);
  }
  nghttp2_submit_rst_stream(nghttp2_, NGHTTP2_FLAG_NONE, id, static_cast<uint32_t>(verdict.reset));
}

// HEADERS or DATA on a stream that is closed, which the client should know unless we closed it, or have said that we
// look at no further one.
void Session::judge_closed(const FrameHead& frame) {
  if (!draining_ && !ended_.may_have(frame.stream)) return note_fault(Fault::kStreamClosed);
  if (frame.type == FrameType::kHeaders) charge(Fault::kHeaderFlood);
}

// Of an answer, before any head or behind its end (RFC 9113 8.1, 5.1). nghttp2 would end the connection for it and not
// say for whose content.
void Session::judge_answers_content(const FrameHead& frame) {
  const auto id = static_cast<int32_t>(frame.stream);
  const Stream* const stream = find(id);
  if (!stream || stream->reset_) return;
  if (stream->received_all_) return note_fault(Fault::kStreamClosed, id);
  if (!stream->has_head_ && stream->interims_ == 0) note_fault(Fault::kProtocol, id);
}

// What is before the frame has to be taken in first: what becomes of the frame may depend on it. False when the
// connection has a fault.
bool Session::act_on(const Verdict& verdict, const FrameHead& frame) {
  pass_on(scanner_.run());
  if (fault_ != Fault::kNone) return false;
  if (verdict.fault != Fault::kNone) note_fault(verdict.fault, stream_at_fault(frame));
  if (verdict.charge != Fault::kNone) charge(verdict.charge);
  if (role_ == Role::kClient && frame.type == FrameType::kData) judge_answers_content(frame);
  const auto id = static_cast<int32_t>(frame.stream);
  if (verdict.reset != ErrorCode::kNoError) reset_for(verdict, id);
  if (verdict.drop || verdict.fields) scanner_.drop();
  if (verdict.fields) {
    in_fields_ = true;
    block_.begin_frame(frame);
  }
  if (verdict.on_old_stream && nghttp2_session_get_stream_remote_close(nghttp2_, id) < 0) judge_closed(frame);
  return fault_ == Fault::kNone;
}

bool Session::take_fields() {
  const std::string_view payload = scanner_.take_payload();
  const size_t left = scanner_.payload_left();
  block_.take(payload, left);
  if (left > 0) return false;
  in_fields_ = false;
  if (!block_.end_frame()) {
    note_fault(Fault::kPadding, static_cast<int32_t>(block_.head().stream));
  } else if (block_.depends_on_itself()) {
    note_fault(Fault::kProtocol, static_cast<int32_t>(block_.head().stream));
  } else if (block_.complete()) {
    end_fields();
  }
  return true;
}

template <class Take>
void Session::decode(Take take) {
  decoder_.begin(block_.octets());
  for (;;) {
    switch (decoder_.next()) {
      case HeaderDecoder::Found::kField: take(decoder_.field()); break;
      case HeaderDecoder::Found::kEnd: return;
      case HeaderDecoder::Found::kMalformed:
        return note_fault(Fault::kHpack, static_cast<int32_t>(block_.head().stream));
    }
  }
}

// nghttp2 learns of a block that there is one, empty, and says whose it is; the fields are taken here. Where nobody
// wants them the table has to see them all the same.
void Session::end_fields() {
  const FrameHead& head = block_.head();
  const auto octet = [](uint32_t number, int shift) { return static_cast<char>(number >> shift); };
  const auto flags = static_cast<char>(frame_flag::kEndHeaders | (head.flags & frame_flag::kEndStream));
  const char frame[kFrameHeadSize] = {
      0, 0, 0, 1, flags, octet(head.stream, 24), octet(head.stream, 16), octet(head.stream, 8), octet(head.stream, 0)};
  current_ = nullptr;
  pass_on({frame, sizeof frame});
  if (current_) {
    take_section();
  } else {
    decode([](const CheckedField&) {});
  }
  current_ = nullptr;
  block_.clear();
}

// A message that needs more memory than it may have costs its stream alone, and the table has to see the rest of it.
void Session::take_section() {
  const auto refuse_current = [this] {
    refuse(*current_, http::Refusal::kHeaderSize);
    current_ = nullptr;
  };
  decode([&](const CheckedField& field) {
    if (!current_) return;
    try {
      section_.add(field);
    } catch (const http::ArenaExhausted&) {
      refuse_current();
    }
  });
  if (!current_ || fault_ != Fault::kNone) return;
  try {
    SessionCallbacks::end_headers(*this);
  } catch (const http::ArenaExhausted&) {
    refuse_current();
  }
}

void Session::scan() {
  for (;;) {
    if (in_fields_ && !take_fields()) return;
    if (fault_ != Fault::kNone || !scanner_.next()) break;
    const FrameHead& frame = scanner_.frame();
    if (!rules_.within_block()) ++frames_begun_;
    counters_.frames_received[static_cast<size_t>(frame.type)].add();
    counters_.octets_received[static_cast<size_t>(frame.type)].add(frame.length);
    const Verdict verdict = rules_.judge(frame);
    // When the connection ends with its last stream, nghttp2 looks at no frame that it is given after that.
    one_by_one_ = one_by_one_ || draining_ || frame.type == FrameType::kGoaway;
    const bool alone = !verdict.plain || one_by_one_;
    if (alone && !act_on(verdict, frame)) return;
    pass_on(scanner_.head_in_parts());
  }
  if (fault_ == Fault::kNone) pass_on(scanner_.run());
}

bool Session::receive(std::string_view octets, uint64_t now_ms) {
  if (fault_ != Fault::kNone) return false;
  now_ms_ = now_ms;
  scanner_.give(octets);
  try {
    scan();
  } catch (const std::bad_alloc&) {
    give_up_for_memory();
  }
  carry_out_fault();
  measure_tables();
  return fault_ == Fault::kNone;
}

void Session::wake_blocked() {
  if (nghttp2_session_get_remote_window_size(nghttp2_) <= 0) return;
  for (Stream* stream = blocked_.front(); stream;) {
    Stream* const next = blocked_.after(*stream);
    if (nghttp2_session_get_stream_remote_window_size(nghttp2_, stream->id_) > 0) {
      blocked_.remove(*stream);
      tell(*stream, News::kRoom);
    }
    stream = next;
  }
}

// Of a stream that is still to come the last word counts; of one that is over, none (RFC 9218 7.1).
void Session::remember_priority(uint32_t id, std::string_view text) {
  if (id % 2 == 0) return note_fault(Fault::kProtocol);   // none of the client's
  const Priority priority = parse_priority(text);
  if (Stream* stream = find(static_cast<int32_t>(id)); stream && stream->has_head_) {
    stream->priority_ = priority;
    return;
  }
  if (static_cast<int32_t>(id) <= nghttp2_session_get_last_proc_stream_id(nghttp2_)) return;
  const auto known = std::find_if(early_priorities_.begin(), early_priorities_.end(),
                                  [id](const EarlyPriority& early) { return early.id == id; });
  EarlyPriority& place =
      known != early_priorities_.end() ? *known : early_priorities_[next_early_priority_++ % early_priorities_.size()];
  place = {id, priority};
}

Priority Session::early_priority(uint32_t id) const {
  for (const EarlyPriority& early : early_priorities_) {
    if (early.id == id) return early.priority;
  }
  return {};
}

}   // namespace proxyd::http2
