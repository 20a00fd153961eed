#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace proxyd::http2 {

// Which streams a client has opened: ids grow, and those that it left out are closed for ever (RFC 9113 5.1.1). What
// was left out is remembered a few times; nobody does it who means well. A value of a session.
class StreamIds {
 public:
  uint32_t highest() const { return highest_; }

  // `id` is above the highest.
  void open(uint32_t id) {
    if (id > highest_ + 2) gaps_[next_gap_++ % gaps_.size()] = {highest_ + 1, id};
    highest_ = id;
  }

  bool was_left_out(uint32_t id) const {
    for (const Gap& gap : gaps_) {
      if (id >= gap.first && id < gap.end) return true;
    }
    return false;
  }

 private:
  struct Gap {
    uint32_t first = 0;
    uint32_t end = 0;
  };
  uint32_t highest_ = 0;
  size_t next_gap_ = 0;
  std::array<Gap, 4> gaps_;
};

}   // namespace proxyd::http2
