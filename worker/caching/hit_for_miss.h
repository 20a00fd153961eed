#pragma once

#include <cstdint>

namespace proxyd::caching {

// After an answer that was not stored, requests for the same go to the origin side by side for a while, lest each queue
// for the one before it in vain. Milliseconds.
inline constexpr int64_t kPassFor = 120'000;
inline constexpr int64_t kPassForSize = 600'000;     // of what was too large
inline constexpr int64_t kPassAfterFailure = 1000;   // nobody queues for an origin that fails

// What an answer that is not stored comes to.
struct Unstorable {
  bool replaces = false;   // what is stored is not what the origin says any more
  int64_t pass_for = 0;
};

// An origin says what there is, or that there is nothing; else it refuses this client, or just now, which takes nothing
// from others.
Unstorable effect_of_unstorable(int status);

}   // namespace proxyd::caching
