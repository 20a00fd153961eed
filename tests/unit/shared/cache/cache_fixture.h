#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared/cache/cache.h"
#include "shared/cache/faults.h"

namespace proxyd::cache {

// A region and two workers' ways into it, in one process and one thread.
class CacheTest : public testing::Test {
 protected:
  static constexpr uint64_t kCeiling = 64u << 20;

  explicit CacheTest(uint64_t ceiling = kCeiling)
      : region_(std::move(create_region(ceiling)).value()),
        view_(view_of(region_)),
        first_(std::make_unique<Cache>(view_, 0, 1)),
        second_(std::make_unique<Cache>(view_, 1, 1)) {}

  // Stores a response and says whether it was complete.
  static bool store(Cache& cache, std::string_view key, std::string_view content, std::span<const uint32_t> stamps = {},
                    std::string_view section = "Content-Type: text/plain\r\n") {
    FillLock lock = cache.begin_fill(key, cache.published(), 0);
    if (lock.outcome != FillLock::Outcome::filler) return false;
    Head head;
    head.metadata = "meta";
    head.section = section;
    head.stamps = stamps;
    head.length = content.size();
    return lock.filler.set_head(head) == Written::ok && lock.filler.append(content) == content.size() &&
           lock.filler.complete();
  }

  // Without writing the content, so that its pages are never touched.
  static bool store_blank(Cache& cache, std::string_view key, uint64_t size) {
    FillLock lock = cache.begin_fill(key, cache.published(), 0);
    if (lock.outcome != FillLock::Outcome::filler) return false;
    if (lock.filler.set_head(Head{.section = "A: b\r\n", .length = size}) != Written::ok) return false;
    for (uint64_t left = size; left != 0;) {
      const size_t part = std::min<uint64_t>(lock.filler.reserve().size(), left);
      if (part == 0) return false;
      lock.filler.commit(part);
      left -= part;
    }
    return lock.filler.complete();
  }

  static std::string content_of(const StoredResponse& response) {
    std::string content;
    std::array<std::string_view, 3> ranges;
    while (size_t count = response.content(content.size(), ranges)) {
      for (size_t i = 0; i < count; ++i) content += ranges[i];
    }
    return content;
  }

  static std::string text_of(size_t size, unsigned seed = 1) {
    std::string text(size, '\0');
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    for (size_t at = 0; at < size; at += sizeof state) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      std::memcpy(text.data() + at, &state, std::min(sizeof state, size - at));
    }
    return text;
  }

  // Everything that waits is done, and what the region says of itself agrees.
  void expect_sound() {
    for (int64_t now = 1; now < 2000; now += 10) first_->tend(now);
    const std::vector<std::string> faults = faults_of(view_);
    EXPECT_TRUE(faults.empty()) << faults.size() << " faults, the first: " << faults.front();
  }

  memory::Region region_;
  RegionView view_;
  std::unique_ptr<Cache> first_;
  std::unique_ptr<Cache> second_;
};

}   // namespace proxyd::cache
