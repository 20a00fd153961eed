#pragma once

#include <cstdint>

#include "worker/http2/error_code.h"
#include "worker/http2/fault.h"
#include "worker/http2/frame_head.h"
#include "worker/http2/settings.h"
#include "worker/http2/stream_ids.h"

namespace proxyd::http2 {

// What is to be done with a frame.
struct Verdict {
  bool plain = true;                       // nothing but to pass it on
  bool drop = false;                       // nobody is to see it
  Fault fault = Fault::kNone;              // the connection ends
  Fault charge = Fault::kNone;             // it costs the peer a token, for want of which the connection ends
  ErrorCode reset = ErrorCode::kNoError;   // its stream, if there is one, has to be reset
  bool fields = false;                     // it carries a part of a header block
  bool on_old_stream = false;              // HEADERS or DATA on a stream that was opened before: may be closed by now
};

// Judges frames by their heads alone, in the order they come: what nghttp2 takes for harmless, answers with more than
// RFC 9113 asks for, or tells nobody about. State of a session; what streams there are it does not know.
class FrameRules {
 public:
  static constexpr uint32_t kMostContinuations = 8;
  static constexpr uint32_t kLeastWindowUpdate = 1024;
  static constexpr uint32_t kMostSettings = 32;   // in a frame

  explicit FrameRules(Role role) : server_(role == Role::kServer) {}

  Verdict judge(const FrameHead& frame);
  bool settings_seen() const { return settings_seen_; }
  // Frames of one header block alone may come.
  bool within_block() const { return block_ != 0; }
  const StreamIds& ids() const { return ids_; }

 private:
  Fault check_order(const FrameHead& frame);
  Verdict judge_data(const FrameHead& frame) const;
  Verdict judge_headers(const FrameHead& frame);
  Verdict judge_priority(const FrameHead& frame) const;
  Verdict judge_settings(const FrameHead& frame);
  Verdict judge_window_update(const FrameHead& frame) const;
  Verdict judge_by_type(const FrameHead& frame);

  bool server_;
  bool settings_seen_ = false;
  uint32_t block_ = 0;   // the stream whose header block goes on
  uint32_t continuations_ = 0;
  StreamIds ids_;
};

}   // namespace proxyd::http2
