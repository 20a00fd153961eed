#include "worker/tls/openssl_memory.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace proxyd::tls {
namespace {

const bool pooled = pool_openssl_memory();   // before any test uses OpenSSL

TEST(OpensslMemory, OpenSslTakesItWhereNothingWasTakenBefore) { EXPECT_TRUE(pooled); }

TEST(OpensslMemory, GivesAgainWhatWasReleasedInThatSize) {
  for (const size_t size : {1, 24, 25, 100, 4096, 17 * 1024}) {
    void* const first = OPENSSL_malloc(size);
    OPENSSL_free(first);
    void* const second = OPENSSL_malloc(size);
    // The heap may have given more than was asked for, and then to another size's list.
    if (::malloc_usable_size(first) < size + 24) EXPECT_EQ(first, second) << size;
    OPENSSL_free(second);
  }
}

TEST(OpensslMemory, NoPieceOverlapsAnotherAndContentMovesWithIt) {
  struct Held {
    char* at;
    size_t size;
    char mark;
  };
  std::vector<Held> all;
  std::minstd_rand random(7);
  const auto size = [&random] { return 1 + random() % (random() % 8 == 0 ? 40'000 : 600); };
  const auto is_whole = [](const Held& one, size_t octets) {
    return std::all_of(one.at, one.at + octets, [&one](char c) { return c == one.mark; });
  };
  for (int turn = 0; turn < 20'000; ++turn) {
    const size_t which = all.empty() ? 0 : random() % all.size();
    switch (random() % 3) {
      case 0: {
        const size_t octets = size();
        const char mark = static_cast<char>(turn);
        all.push_back({static_cast<char*>(OPENSSL_malloc(octets)), octets, mark});
        std::fill_n(all.back().at, octets, mark);
        break;
      }
      case 1: {
        if (all.empty()) break;
        Held& one = all[which];
        const size_t octets = size();
        one.at = static_cast<char*>(OPENSSL_realloc(one.at, octets));
        ASSERT_TRUE(is_whole(one, std::min(octets, one.size)));
        std::fill_n(one.at, octets, one.mark);
        one.size = octets;
        break;
      }
      default:
        if (all.size() < 100) break;
        ASSERT_TRUE(is_whole(all[which], all[which].size));
        OPENSSL_free(all[which].at);
        all[which] = all.back();
        all.pop_back();
    }
  }
  for (const Held& one : all) {
    ASSERT_TRUE(is_whole(one, one.size));
    OPENSSL_free(one.at);
  }
}

}   // namespace
}   // namespace proxyd::tls
