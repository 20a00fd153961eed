#pragma once

#include <string>

#include "tests/support/http2/peer.h"

namespace proxyd::http2 {

inline std::string describe(const octets::Frame& frame) {
  std::string text = "frame " + std::to_string(frame.type) + " flags " + std::to_string(frame.flags) + " stream " +
                     std::to_string(frame.stream);
  if (frame.type == 3) text += " code " + std::to_string(frame.word());
  if (frame.type == 7) {   // what nghttp2 adds to it is its own business
    return text + " last " + std::to_string(frame.word()) + " code " + std::to_string(frame.word(4)) + "\n";
  }
  return text + " size " + std::to_string(frame.payload.size()) + "\n";
}

inline std::string describe(Stream& stream, News news, Role role) {
  std::string text = "stream " + std::to_string(stream.id()) + " news " + std::to_string(static_cast<int>(news)) +
                     " refusal " + std::string(http::to_string(stream.refusal())) + " code " +
                     std::string(to_string(stream.reset_code())) + " content ";
  text += all_content(stream);
  if (!holds(news, News::kHead)) return text + "\n";
  const http::Fields& fields = role == Role::kServer ? stream.request().fields : stream.response().fields;
  for (const http::Field& field : fields) text += "|" + std::string(field.name) + "=" + std::string(field.value);
  if (stream.trailers()) {
    for (const http::Field& field : *stream.trailers()) {
      text += "|trailer " + std::string(field.name) + "=" + std::string(field.value);
    }
  }
  return text + "\n";
}

// What a session makes of octets that arrive in steps of some size, as text, so that two runs can be compared.
inline std::string transcript(Peer& peer, std::string_view octets, size_t step) {
  peer.receive(octets, step);
  std::string text;
  for (const auto& [stream, news] : peer.news()) text += describe(*stream, news, peer.session->role());
  for (const octets::Frame& frame : peer.frames()) text += describe(frame);
  for (const auto& [stream, news] : peer.news()) text += describe(*stream, news, peer.session->role());   // found late
  return text + "fault " + std::string(to_string(peer.session->fault())) + " budget " +
         std::to_string(peer.session->budget().left()) + "\n";
}

inline std::string transcript(Role role, std::string_view octets, size_t step, const Settings& settings = {}) {
  Peer peer(role, settings);
  return transcript(peer, octets, step);
}

}   // namespace proxyd::http2
