#pragma once

#include "shared/cache/content_pool.h"

namespace proxyd::cache {

// What is being changed under a class's or the pool's lock, and by whom: written first, cleared last.
struct Intent {
  BlockRef block = 0;
  uint32_t slot = 0;
  static Intent of(uint64_t word) { return Intent{static_cast<BlockRef>(word), static_cast<uint32_t>(word >> 32)}; }
  uint64_t word() const { return block | uint64_t{slot} << 32; }
};

// A segment whose pages are being given back by the process of this slot (added): not free, not cut.
inline constexpr uint32_t kSetAside = 0x10000;

// One size class's lock for a scope: what a dead holder left is repaired before the scope begins. False: busy. Who
// waits patiently holds no other lock.
class ClassLock {
 public:
  ClassLock(ContentPool& pool, const Member& member, uint32_t size_class, Wait wait)
      : size_class_(member.view.superblock().classes[size_class]), outcome_(member.acquire(size_class_.lock, wait)) {
    if (outcome_ != memory::RobustMutex::Outcome::owner_died) return;
    pool.repair_class(size_class);
    size_class_.lock.repaired();
    count(member.tally().class_repairs);
  }
  ClassLock(const ClassLock&) = delete;
  ClassLock& operator=(const ClassLock&) = delete;
  ~ClassLock() {
    if (*this) size_class_.lock.release();
  }
  explicit operator bool() const { return outcome_ != memory::RobustMutex::Outcome::busy; }
  SizeClass& size_class() const { return size_class_; }

 private:
  SizeClass& size_class_;
  memory::RobustMutex::Outcome outcome_;
};

// The same for the lock of the segments.
class PoolLock {
 public:
  PoolLock(ContentPool& pool, const Member& member, Wait wait)
      : pool_(member.view.superblock().pool), outcome_(member.acquire(pool_.lock, wait)) {
    if (outcome_ != memory::RobustMutex::Outcome::owner_died) return;
    pool.repair_pool();
    pool_.lock.repaired();
    count(member.tally().class_repairs);
  }
  PoolLock(const PoolLock&) = delete;
  PoolLock& operator=(const PoolLock&) = delete;
  ~PoolLock() {
    if (*this) pool_.lock.release();
  }
  explicit operator bool() const { return outcome_ != memory::RobustMutex::Outcome::busy; }
  SegmentPool& pool() const { return pool_; }

 private:
  SegmentPool& pool_;
  memory::RobustMutex::Outcome outcome_;
};

}   // namespace proxyd::cache
