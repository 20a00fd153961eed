#pragma once

#include "worker/async/frame_pool.h"
#include "worker/http2/memory.h"

namespace proxyd::downstream {

// HTTP/2 sessions' memory, from the pool that coroutine frames come from. One a worker.
class PooledMemory final : public http2::Memory {
 public:
  void* allocate(size_t size) override { return async::FramePool::of_this_thread().allocate(size); }
  void release(void* memory, size_t size) override { async::FramePool::of_this_thread().release(memory, size); }
};

}   // namespace proxyd::downstream
