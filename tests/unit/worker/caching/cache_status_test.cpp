#include "worker/caching/cache_status.h"

#include <gtest/gtest.h>

#include <string>

#include "worker/caching/structured_field.h"

namespace proxyd::caching {
namespace {

class CacheStatusField : public testing::Test {
 protected:
  std::string text(const CacheStatus& status) { return std::string(cache_status_member(status, arena_)); }

 private:
  http::Arena arena_;
};

TEST_F(CacheStatusField, SaysAHit_Rfc9211_2_1) {
  EXPECT_EQ(text({.hit = true, .ttl = 30}), "proxyd; hit; ttl=30");
  EXPECT_EQ(text({.hit = true, .ttl = -412, .detail = Reason::kStale}), "proxyd; hit; ttl=-412; detail=stale");
}

TEST_F(CacheStatusField, SaysWhyARequestWentForward_Rfc9211_2_2) {
  EXPECT_EQ(text({.reason = Reason::kMiss, .forward_status = 200, .stored = true}),
            "proxyd; fwd=uri-miss; fwd-status=200; stored");
  EXPECT_EQ(text({.reason = Reason::kStale, .forward_status = 304, .ttl = 60, .collapsed = true}),
            "proxyd; fwd=stale; fwd-status=304; ttl=60; collapsed=?0");
  EXPECT_EQ(text({.reason = Reason::kBypassCookie, .detail = Reason::kBypassCookie}),
            "proxyd; fwd=bypass; detail=bypass_cookie");
}

TEST_F(CacheStatusField, NamesEveryReasonByATokenOfTheRegistry_Rfc9211_2_2) {
  EXPECT_EQ(forward_token(Reason::kMethod), "method");
  EXPECT_EQ(forward_token(Reason::kVaryMiss), "vary-miss");
  EXPECT_EQ(forward_token(Reason::kPartial), "partial");
  EXPECT_EQ(forward_token(Reason::kNoCache), "stale");
  EXPECT_EQ(forward_token(Reason::kRequestNoCache), "request");
  EXPECT_EQ(forward_token(Reason::kPrecondition), "bypass");
}

TEST_F(CacheStatusField, IsAListOfItems_Rfc9211_2) {
  for (size_t i = 0; i < metrics::kCacheReasons.size(); ++i) {
    const auto reason = static_cast<Reason>(i);
    const std::string field =
        text({.reason = reason, .forward_status = 200, .ttl = -1, .stored = true, .collapsed = true, .detail = reason});
    StructuredField members(field, StructuredField::Type::kList);
    EXPECT_EQ(members.next()->text, "proxyd");
    EXPECT_FALSE(members.next());
    EXPECT_TRUE(members.well_formed()) << field;
  }
}

}   // namespace
}   // namespace proxyd::caching
