#include <algorithm>
#include <cstring>
#include <utility>

#include "shared/base/bytes.h"
#include "worker/http2/session_callbacks.h"

namespace proxyd::http2 {
namespace {

// Less than that of a larger offer is not worth a frame: there will be more room.
constexpr size_t kLeastPart = 512;

void set_length(char* frame, size_t length) {
  for (size_t i = 0; i < 3; ++i) frame[i] = static_cast<char>(length >> (16 - 8 * i));
}

}   // namespace

ssize_t SessionCallbacks::read_content(nghttp2_session*, int32_t, uint8_t*, size_t most, uint32_t* flags,
                                       nghttp2_data_source* source, void* user) {
  auto& session = *static_cast<Session*>(user);
  auto& stream = *static_cast<Stream*>(source->ptr);
  if (stream.finishing_ && !stream.offering_) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    return 0;
  }
  const size_t rest = stream.offering_ ? stream.offered_octets_ - stream.taken_.octets : 0;
  const bool end_is_due = stream.offering_ && stream.offer_is_last_ && !stream.taken_.ended;
  if (rest == 0 && !end_is_due) {
    stream.provider_waits_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  const size_t room = session.room_.size() - session.filled_;
  const size_t fits = room > kFrameHeadSize ? room - kFrameHeadSize : 0;
  if (room < kFrameHeadSize || fits < std::min(rest, kLeastPart)) {
    session.out_of_room_ = true;
    return NGHTTP2_ERR_PAUSE;
  }
  const size_t size = std::min({rest, most, fits});
  if (size == rest && stream.offer_is_last_) *flags |= NGHTTP2_DATA_FLAG_EOF;
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  return static_cast<ssize_t>(size);
}

int SessionCallbacks::send_content(nghttp2_session*, nghttp2_frame* frame, const uint8_t* head, size_t size,
                                   nghttp2_data_source* source, void* user) {
  auto& session = *static_cast<Session*>(user);
  auto& stream = *static_cast<Stream*>(source->ptr);
  char* const to = session.room_.data() + session.filled_;
  std::memcpy(to, head, kFrameHeadSize);
  session.filled_ += kFrameHeadSize + stream.copy_offered(to + kFrameHeadSize, size);
  stream.taken_.ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  return 0;
}

// The frame, with more behind it; false when it has to wait for room.
bool Session::put(std::string_view frame, std::string_view more) {
  const size_t size = frame.size() + more.size();
  if (size > room_.size() - filled_) {
    hold(frame, more);
    return put_held();
  }
  char* const to = room_.data() + filled_;
  put_octets(put_octets(to, frame), more);
  filled_ += size;
  if (!more.empty()) set_length(to, size - kFrameHeadSize);
  return true;
}

// As much as fits into room that nothing else uses, or nothing.
bool Session::put_held() {
  const size_t room = room_.size() - filled_;
  const size_t size = held_.size() <= room ? held_.size() : filled_ == 0 ? room : 0;
  held_.copy(room_.data() + filled_, size);
  filled_ += size;
  held_.remove_prefix(size);
  if (!held_.empty()) return false;
  let_go();
  return true;
}

// What nghttp2 has made lies in its buffer until it makes the next frame; what is behind it, in a stream that may go.
void Session::hold(std::string_view frame, std::string_view more) {
  held_ = frame;
  if (more.empty()) return;
  const size_t size = frame.size() + more.size();
  held_memory_ = {static_cast<char*>(memory_.allocate(size)), size};
  put_octets(put_octets(held_memory_.data(), frame), more);
  set_length(held_memory_.data(), size - kFrameHeadSize);
  held_ = {held_memory_.data(), size};
}

void Session::let_go() {
  if (!held_memory_.empty()) memory_.release(held_memory_.data(), held_memory_.size());
  held_memory_ = {};
  held_ = {};
}

// nghttp2 ends the connection when a client opens one stream too many; RFC 9113 5.1.2 asks for a stream error, and we
// count streams that nghttp2 knows no more. And it decodes no header block, so that its table stays as it is. In both
// it believes in other numbers than we say.
std::string_view Session::with_our_limits(std::string_view frame) {
  const bool settings =
      frame.size() > kFrameHeadSize && frame.size() <= preface_.size() && frame[3] == NGHTTP2_SETTINGS;
  if (!settings) return frame;
  frame.copy(preface_.data(), frame.size());
  for (size_t at = kFrameHeadSize; at < frame.size(); at += 6) {
    const bool streams = preface_[at + 1] == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS;
    if (!streams && preface_[at + 1] != NGHTTP2_SETTINGS_HEADER_TABLE_SIZE) continue;
    const uint32_t value = streams ? settings_.max_streams : settings_.header_table;
    for (size_t i = 0; i < 4; ++i) preface_[at + 2 + i] = static_cast<char>(value >> (24 - 8 * i));
  }
  return {preface_.data(), frame.size()};
}

void Session::send_frames() {
  while (!broken_) {
    const uint8_t* frame = nullptr;
    const ssize_t size = nghttp2_session_mem_send(nghttp2_, &frame);
    if (size == 0) return;
    if (size < 0) {
      broken_ = true;
      return note_fault(Fault::kNoMemory);
    }
    const std::string_view made(reinterpret_cast<const char*>(frame), static_cast<size_t>(size));
    if (!put(with_our_limits(made), std::exchange(block_behind_, {}))) {
      out_of_room_ = true;
      return;
    }
  }
}

// The offer is void now: what it points to may die.
void Session::settle_offer() {
  Stream* const stream = offering_;
  if (!stream) return;
  offering_ = nullptr;
  stream->offering_ = false;
  stream->offered_ = {};
  Taken& taken = stream->taken_;
  const bool whole = taken.octets == stream->offered_octets_ && taken.ended == stream->offer_is_last_;
  if (whole) return;
  if (stream->reset_ || stream->closed_ || fault_ != Fault::kNone) {
    taken.stop = Taken::Stop::kGone;
  } else if (out_of_room_) {
    taken.stop = Taken::Stop::kRoom;
  } else {
    taken.stop = Taken::Stop::kWindow;
    blocked_.append(*stream);
  }
}

size_t Session::produce(std::span<char> room) {
  room_ = room;
  filled_ = 0;
  out_of_room_ = !held_.empty() && !put_held();
  if (!out_of_room_) send_frames();
  if (fault_ != Fault::kNone && !fault_carried_out_) {
    carry_out_fault();
    if (!out_of_room_) send_frames();
  }
  settle_offer();
  room_ = {};
  return filled_;
}

bool Session::has_output() const { return !held_.empty() || (!broken_ && nghttp2_session_want_write(nghttp2_) != 0); }

void Session::measure_tables() {
  const uint64_t octets = decoder_.table_octets() + nghttp2_session_get_hd_deflate_dynamic_table_size(nghttp2_);
  if (octets == table_octets_) return;
  counters_.header_tables.add(octets - table_octets_);   // which may be less than nothing
  table_octets_ = octets;
}

}   // namespace proxyd::http2
