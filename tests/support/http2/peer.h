#pragma once

#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "tests/support/http2/octets.h"
#include "worker/http2/session.h"

namespace proxyd::http2 {

// Memory that knows how much of it is out, and fails a test by leaking under ASan.
class CountedMemory final : public Memory {
 public:
  void* allocate(size_t size) override {
    ++calls;
    live += size;
    most = std::max(most, live);
    return ::operator new(size);
  }
  void release(void* memory, size_t size) override {
    live -= size;
    ::operator delete(memory);
  }
  size_t live = 0;
  size_t most = 0;
  size_t calls = 0;
};

// Cells over words of its own.
class CountersInMemory {
 public:
  CountersInMemory() {
    const auto fill = [this](auto& cells) {
      for (metrics::Cell& cell : cells) cell = next();
    };
    fill(counters.frames_received);
    fill(counters.frames_sent);
    fill(counters.octets_received);
    fill(counters.octets_sent);
    fill(counters.resets_received);
    fill(counters.resets_sent);
    fill(counters.connection_errors);
    counters.header_tables = next();
  }
  Counters counters;

 private:
  metrics::Cell next() { return metrics::Cell(&words_.at(used_++)); }
  std::array<std::atomic<uint64_t>, 192> words_{};
  size_t used_ = 0;
};

// A session with what it needs, and what it has said so far.
class Peer {
 public:
  explicit Peer(Role role, const Settings& settings = {})
      : session(std::make_unique<Session>(role, settings, memory, words.counters)) {}

  // In steps of so many octets.
  bool receive(std::string_view octets, size_t step = SIZE_MAX) {
    while (!octets.empty()) {
      const size_t some = std::min(step, octets.size());
      if (!session->receive(octets.substr(0, some), now)) return false;
      octets.remove_prefix(some);
    }
    return true;
  }
  // All there is to say, in room of that size.
  std::string produce(size_t room = 64 * 1024) {
    std::string all;
    std::string buffer(room, '\0');
    while (const size_t size = session->produce({buffer.data(), buffer.size()})) all.append(buffer, 0, size);
    return all;
  }
  // The same as frames; kept in `said`, so that the other peer can still hear it.
  std::vector<octets::Frame> frames(size_t room = 64 * 1024) {
    std::string all = produce(room);
    said += all;
    if (all.starts_with(octets::kMagic)) all.erase(0, octets::kMagic.size());
    return octets::frames_of(all);
  }
  // The streams with news, which is taken; of those that the test has not released.
  std::vector<std::pair<Stream*, News>> news() {
    std::vector<std::pair<Stream*, News>> all;
    while (Stream* stream = session->next_news()) all.emplace_back(stream, stream->take_news());
    return all;
  }
  Stream* only_stream() {
    const auto all = news();
    return all.size() == 1 ? all.front().first : nullptr;
  }

  CountedMemory memory;
  CountersInMemory words;
  std::unique_ptr<Session> session;
  uint64_t now = 1;
  std::string said;
};

// What one says goes to the other until both are silent.
inline void talk(Peer& one, Peer& other) {
  for (;;) {
    const std::string from_one = one.produce();
    other.receive(from_one);
    const std::string from_other = other.produce();
    one.receive(from_other);
    if (from_one.empty() && from_other.empty()) return;
  }
}

inline std::string all_content(Stream& stream) {
  std::string content;
  while (!stream.content().empty()) {
    content += stream.content();
    stream.consume(stream.content().size());
  }
  return content;
}

}   // namespace proxyd::http2
