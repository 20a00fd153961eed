#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "shared/cache/object.h"

namespace proxyd::cache {

class Cache;
struct HeadBlock;

// What the purge stamps say of an object, for a request whose sequence bounds the look.
enum class Purged : uint8_t { no, soft, hard };

// What can change of an object that somebody waits for.
struct Progress {
  State state = State::free;
  uint64_t filled = 0;
  bool dead = false;                     // not in the index any more: replaced, purged or evicted; still readable
  bool held = false;                     // somebody fetches for it: its filler, or who revalidates it
  bool orphaned = false;                 // that somebody has died: the first `take_over` wins
  bool freshened = false;                // the index has a newer head than this handle: find it again
  ClaimEnd claim_end = ClaimEnd::open;   // where it is not held: how the last one to validate it fared
  bool operator==(const Progress&) const = default;
};

// A pinned row of the cache: while this value lives, nothing it shows is freed or changed, whatever happens to the
// object. Owned by one request of a worker; movable; belongs to the `Cache` that made it and must not outlive it. It
// never suspends and never fails. What it returns points straight into the region (for writev), valid as long as the
// handle. A crash leaves a pin, which the master clears when it has reaped the worker.
class StoredResponse {
 public:
  StoredResponse() = default;
  StoredResponse(StoredResponse&& other) noexcept;
  StoredResponse& operator=(StoredResponse&& other) noexcept;
  ~StoredResponse();
  // Another handle of the same row: no search, no further pin.
  StoredResponse share() const;
  // Of a complete response only the content is wanted from here on, which may take long: its head can be freed once it
  // is replaced. No other call but `content`, `length`, `filled`, `state`, `progress`, `arm` after it. Nothing happens
  // where content lies in the head.
  void let_head_go();

  explicit operator bool() const { return cache_ != nullptr; }
  ObjectIndex index() const { return index_; }
  State state() const;
  Kind kind() const;
  // The fields are known: state filling, complete, or aborted after that. `metadata`, `section` and `length` need it.
  bool has_head() const;
  std::string_view key() const;
  // The caller's own bytes, as set with the head.
  std::string_view metadata() const;
  // The field section as serialized by the caller.
  std::string_view section() const;
  std::span<const uint32_t> stamps() const;
  // The purge sequence that the response is valid from.
  uint64_t sequence() const;
  int64_t keep_until() const;
  // Octets of content, when they are known already.
  std::optional<uint64_t> length() const;
  // Octets of content that are there to be read.
  uint64_t filled() const;
  // Contiguous ranges of the content from `offset` to `filled`, as many as fit into `ranges`; how many were set.
  // Walking a large content in order costs a step for each range, from an arbitrary offset one for each extent before
  // it.
  size_t content(uint64_t offset, std::span<std::string_view> ranges) const;
  Purged purged(uint64_t sequence) const;

  Progress progress() const;
  // For a follower about to suspend: registers its worker to be woken, then looks. Suspend only if that is what was
  // seen before; then whoever changes it sets `wait_number` in this worker's mailbox. A wake-up may be for another
  // object with the same number, and one may be lost to a death: look again after 100 ms.
  Progress arm() const;
  uint32_t wait_number() const;

 private:
  friend class Cache;
  friend class Filler;
  friend class Revalidation;
  StoredResponse(Cache* cache, ObjectIndex index, uint32_t pin, const HeadBlock* head)
      : cache_(cache), head_(head), index_(index), pin_(pin) {}
  const Object& object() const;
  const HeadBlock* head() const;

  Cache* cache_ = nullptr;
  mutable const HeadBlock* head_ = nullptr;   // null while the object was opening when it was pinned
  ObjectIndex index_ = kNoObject;
  uint32_t pin_ = 0;
  bool has_let_go_ = false;   // of the head
  // Where the last walk began to give, so that the next goes on from there.
  struct Walk {
    uint64_t offset = 0;
    uint32_t extent = 0;
    BlockRef block = 0;
  };
  mutable Walk walk_;
};

}   // namespace proxyd::cache
