#pragma once

#include <deque>
#include <string>

#include "worker/net/stream.h"

namespace proxyd::message {

// A stream without a socket: gives what a test has put in, piece by piece, and takes so many octets a call.
class ScriptedStream final : public net::Stream {
 public:
  std::deque<std::string> incoming;   // empty: would block
  bool ends = false;                  // after `incoming`
  std::string written;
  size_t room = SIZE_MAX;   // of one write
  bool ended_writing = false;

  net::Moved read(char* to, size_t size) override {
    if (incoming.empty()) return {ends ? net::Moved::State::kEnd : net::Moved::State::kWouldBlock};
    const size_t got = incoming.front().copy(to, size);
    incoming.front().erase(0, got);
    if (incoming.front().empty()) incoming.pop_front();
    return {net::Moved::State::kSome, got};
  }
  net::Moved write(std::span<const iovec> from) override {
    size_t left = room;
    for (const iovec& part : from) {
      const size_t some = std::min(left, part.iov_len);
      written.append(static_cast<const char*>(part.iov_base), some);
      left -= some;
    }
    if (left == room) return {net::Moved::State::kWouldBlock};
    return {net::Moved::State::kSome, room - left};
  }
  size_t unacknowledged() const override { return 0; }
  size_t arrived() const override { return 0; }
  int spliceable_descriptor() const override { return -1; }
  void end_writing() override { ended_writing = true; }
  void abort_on_close() override {}
  async::WaitReady readable(Deadline deadline) override {
    return {watched_.loop(), watched_.when_readable(), deadline};
  }
  async::WaitReady writable(Deadline deadline) override {
    return {watched_.loop(), watched_.when_writable(), deadline};
  }
  async::Watched& watched() override { return watched_; }

 private:
  async::Watched watched_;
};

}   // namespace proxyd::message
