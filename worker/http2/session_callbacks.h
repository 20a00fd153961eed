#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>

#include "worker/http2/session.h"

namespace proxyd::http2 {

// What nghttp2 tells a session: each function only records, and says nothing more once the connection has a fault.
class SessionCallbacks {
 public:
  static const nghttp2_session_callbacks* table();
  // Gives out what a stream has offered; for nghttp2_data_provider, whose source is the Stream.
  static ssize_t read_content(nghttp2_session* nghttp2, int32_t id, uint8_t* to, size_t most, uint32_t* flags,
                              nghttp2_data_source* source, void* session);

  // The fields of the stream whose block this is are all there.
  static void end_headers(Session& session);

 private:
  static nghttp2_session_callbacks* make();

  static int on_begin_headers(nghttp2_session* nghttp2, const nghttp2_frame* frame, void* session);
  static int on_data_chunk(nghttp2_session* nghttp2, uint8_t flags, int32_t id, const uint8_t* data, size_t size,
                           void* session);
  static int on_frame_received(nghttp2_session* nghttp2, const nghttp2_frame* frame, void* session);
  static int on_invalid_frame(nghttp2_session* nghttp2, const nghttp2_frame* frame, int error, void* session);
  static int on_extension_chunk(nghttp2_session* nghttp2, const nghttp2_frame_hd* head, const uint8_t* data,
                                size_t size, void* session);
  static int on_extension_end(nghttp2_session* nghttp2, void** payload, const nghttp2_frame_hd* head, void* session);
  static int on_stream_closed(nghttp2_session* nghttp2, int32_t id, uint32_t code, void* session);
  static int on_frame_sent(nghttp2_session* nghttp2, const nghttp2_frame* frame, void* session);
  static int on_frame_not_sent(nghttp2_session* nghttp2, const nghttp2_frame* frame, int error, void* session);
  static int send_content(nghttp2_session* nghttp2, nghttp2_frame* frame, const uint8_t* head, size_t size,
                          nghttp2_data_source* source, void* session);

  static void begin_request(Session& session, int32_t id);
  static void end_request(Session& session, Stream& stream, bool ends);
  static void end_response(Session& session, Stream& stream, bool ends);
  static void end_trailers(Session& session, Stream& stream, bool ends);
  static void end_content(Session& session, Stream& stream);
  static void take_content(Session& session, Stream& stream, std::string_view octets);
  static void take_reset(Session& session, Stream& stream, uint32_t code);
  static void take_window_update(Session& session, int32_t id);
};

}   // namespace proxyd::http2
