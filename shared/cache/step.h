#pragma once

#ifdef PROXYD_TEST_HOOKS
#include <atomic>
#endif

namespace proxyd::cache {

// A named place between two writes to the region where a test may end the process. Nothing in what ships; in a build
// with PROXYD_TEST_HOOKS it calls what the test has set.
#ifdef PROXYD_TEST_HOOKS
inline std::atomic<void (*)(const char* name)> at_step{nullptr};
inline void step(const char* name) {
  if (auto* call = at_step.load(std::memory_order_relaxed)) call(name);
}
#else
inline void step(const char*) {}
#endif

}   // namespace proxyd::cache
