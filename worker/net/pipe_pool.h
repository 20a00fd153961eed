#pragma once

#include <cstddef>
#include <vector>

#include "shared/base/unique_fd.h"

namespace proxyd::net {

// A kernel pipe through which octets are spliced from one socket to another. Empty when it comes back to the pool.
struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
  size_t capacity = 0;
  explicit operator bool() const { return static_cast<bool>(read_end); }
};

// The worker's pipes: at most 32 kept, made when needed. One thread. `borrow` gives an empty Pipe when the process has
// no descriptors left; then content is copied instead.
class PipePool {
 public:
  Pipe borrow();
  void give_back(Pipe pipe);

 private:
  std::vector<Pipe> free_;
};

}   // namespace proxyd::net
