#include "worker/net/pipe_pool.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace proxyd::net {
namespace {

constexpr size_t kKept = 32;
constexpr int kWantedCapacity = 1024 * 1024;   // what an unprivileged process may ask for

}   // namespace

Pipe PipePool::borrow() {
  if (!free_.empty()) {
    Pipe pipe = std::move(free_.back());
    free_.pop_back();
    return pipe;
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return {};
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1]), 0};
  const int grown = ::fcntl(ends[1], F_SETPIPE_SZ, kWantedCapacity);
  const int size = grown > 0 ? grown : ::fcntl(ends[1], F_GETPIPE_SZ);
  pipe.capacity = size > 0 ? static_cast<size_t>(size) : 65536;
  return pipe;
}

void PipePool::give_back(Pipe pipe) {
  if (pipe && free_.size() < kKept) free_.push_back(std::move(pipe));
}

}   // namespace proxyd::net
