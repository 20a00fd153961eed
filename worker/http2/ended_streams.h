#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace proxyd::http2 {

// The streams that we ended before their client did. What it sent before it heard of that still arrives, and is no
// fault; on any other closed stream it is one (RFC 9113 5.1). The last ones are known by their ids, and what is not
// above one that has been forgotten is given the benefit of the doubt. A value of a session.
class EndedStreams {
 public:
  static constexpr size_t kKnown = 32;

  void add(uint32_t id) {
    uint32_t& place = ids_[next_++ % kKnown];
    forgotten_ = std::max(forgotten_, place);
    place = id;
  }

  bool may_have(uint32_t id) const { return id <= forgotten_ || std::find(ids_.begin(), ids_.end(), id) != ids_.end(); }

 private:
  std::array<uint32_t, kKnown> ids_{};
  size_t next_ = 0;
  uint32_t forgotten_ = 0;
};

}   // namespace proxyd::http2
