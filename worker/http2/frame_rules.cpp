#include "worker/http2/frame_rules.h"

namespace proxyd::http2 {
namespace {

constexpr uint32_t kSettingSize = 6;

Verdict refused(Fault fault) { return {.plain = false, .fault = fault}; }
Verdict charged(Fault charge) { return {.plain = false, .charge = charge}; }

Verdict judge_length(const FrameHead& frame, uint32_t length, Fault charge) {
  if (frame.length != length) return refused(Fault::kFrameSize);
  if (frame.stream == 0) return refused(Fault::kStreamZero);
  return charge == Fault::kNone ? Verdict{} : charged(charge);
}

}   // namespace

// The first frame is SETTINGS; a header block is not interrupted (RFC 9113 3.4, 6.10).
Fault FrameRules::check_order(const FrameHead& frame) {
  if (!settings_seen_ && (frame.type != FrameType::kSettings || frame.has(frame_flag::kAck))) return Fault::kPreface;
  if (frame.length > kLargestFrame) return Fault::kFrameSize;
  const bool goes_on = frame.type == FrameType::kContinuation;
  if (block_ == 0) return goes_on ? Fault::kContinuation : Fault::kNone;
  if (!goes_on || frame.stream != block_) return Fault::kContinuation;
  if (++continuations_ > kMostContinuations) return Fault::kContinuationFlood;
  if (frame.has(frame_flag::kEndHeaders)) block_ = 0;
  return Fault::kNone;
}

Verdict FrameRules::judge_data(const FrameHead& frame) const {
  if (frame.stream == 0) return refused(Fault::kStreamZero);
  if (!server_) return {.plain = false};   // whether there may be content depends on what came before
  const bool empty = frame.length == 0 && !frame.has(frame_flag::kEndStream);
  const bool opened = frame.stream % 2 == 1 && frame.stream <= ids_.highest();   // else nghttp2 calls it idle
  return {.plain = false, .charge = empty ? Fault::kEmptyDataFlood : Fault::kNone, .on_old_stream = opened};
}

Verdict FrameRules::judge_headers(const FrameHead& frame) {
  if (frame.stream == 0) return refused(Fault::kStreamZero);
  if (!frame.has(frame_flag::kEndHeaders)) {
    block_ = frame.stream;
    continuations_ = 0;
  }
  if (!server_) return {.plain = false, .fields = true};
  if (frame.stream % 2 == 0) return refused(Fault::kEvenStream);
  if (frame.stream > ids_.highest()) {
    ids_.open(frame.stream);
    return {.plain = false, .fields = true};
  }
  if (ids_.was_left_out(frame.stream)) return refused(Fault::kStreamId);
  return {.plain = false, .fields = true, .on_old_stream = true};
}

// Nobody acts on it (RFC 9113 5.3.2), but what is wrong with it is an error of its stream (6.3; RFC 7540 5.3.1), or of
// the connection while there is no stream that could be reset.
Verdict FrameRules::judge_priority(const FrameHead& frame) const {
  if (frame.stream == 0) return refused(Fault::kStreamZero);
  Verdict verdict{.plain = false, .drop = true};
  if (frame.length != 5) {
    verdict.reset = ErrorCode::kFrameSizeError;
  } else if (frame.word == frame.stream) {
    if (server_ && frame.stream > ids_.highest()) return refused(Fault::kProtocol);
    verdict.reset = ErrorCode::kProtocolError;
  }
  if (server_ && verdict.reset == ErrorCode::kNoError) verdict.charge = Fault::kPriorityFlood;
  return verdict;
}

Verdict FrameRules::judge_settings(const FrameHead& frame) {
  const bool first = !settings_seen_;
  settings_seen_ = true;
  if (frame.stream != 0) return refused(Fault::kSettings);
  const bool ack = frame.has(frame_flag::kAck);
  if (frame.length % kSettingSize != 0 || (ack && frame.length > 0)) return refused(Fault::kFrameSize);
  if (frame.length > kMostSettings * kSettingSize) return refused(Fault::kSettingsFlood);
  return server_ && !first && !ack ? charged(Fault::kSettingsFlood) : Verdict{};
}

Verdict FrameRules::judge_window_update(const FrameHead& frame) const {
  if (frame.length != 4) return refused(Fault::kFrameSize);
  if (frame.word == 0) {   // an error of its stream, or the connection's (RFC 9113 6.9)
    if (frame.stream == 0) return refused(Fault::kWindowZero);
    if (server_ && frame.stream > ids_.highest()) return refused(Fault::kIdleStream);
    return {.plain = false, .drop = true, .reset = ErrorCode::kProtocolError};
  }
  return server_ && frame.word < kLeastWindowUpdate ? charged(Fault::kWindowFlood) : Verdict{};
}

Verdict FrameRules::judge_by_type(const FrameHead& frame) {
  const auto flood = [this](Fault fault) { return server_ ? charged(fault) : Verdict{}; };
  switch (frame.type) {
    case FrameType::kData: return judge_data(frame);
    case FrameType::kHeaders: return judge_headers(frame);
    case FrameType::kPriority: return judge_priority(frame);
    case FrameType::kRstStream: return judge_length(frame, 4, server_ ? Fault::kResetFlood : Fault::kNone);
    case FrameType::kSettings: return judge_settings(frame);
    case FrameType::kPushPromise: return refused(Fault::kPush);   // we allow it to nobody
    case FrameType::kPing:
      if (frame.length != 8) return refused(Fault::kPing);
      return frame.stream != 0 ? refused(Fault::kProtocol) : flood(Fault::kPingFlood);
    case FrameType::kGoaway:
      if (frame.length < 8) return refused(Fault::kFrameSize);
      return frame.stream != 0 ? refused(Fault::kProtocol) : flood(Fault::kGoawayFlood);
    case FrameType::kWindowUpdate: return judge_window_update(frame);
    case FrameType::kPriorityUpdate:   // RFC 9218 7.1
      if (!server_ || frame.stream != 0) return refused(Fault::kProtocol);
      return frame.length < 4 ? refused(Fault::kFrameSize) : flood(Fault::kPriorityFlood);
    case FrameType::kContinuation: return {.plain = false, .fields = true};
    case FrameType::kOther: return {};
  }
  return {};
}

Verdict FrameRules::judge(const FrameHead& frame) {
  const Fault fault = check_order(frame);
  return fault == Fault::kNone ? judge_by_type(frame) : refused(fault);
}

}   // namespace proxyd::http2
