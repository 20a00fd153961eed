#include "worker/caching/cache_control.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace proxyd::caching {
namespace {

class CacheControlField : public testing::Test {
 protected:
  CacheControl response(std::initializer_list<std::string_view> lines) {
    return parse_response_directives(fields(lines));
  }
  CacheControl request(std::initializer_list<std::string_view> lines) {
    return parse_request_directives(fields(lines));
  }

 private:
  http::Fields fields(std::initializer_list<std::string_view> lines) {
    http::Fields made(arena_);
    for (const std::string_view line : lines) made.add("Cache-Control", line);
    return made;
  }
  http::Arena arena_;
};

constexpr int64_t kAbsent = CacheControl::kAbsent;

TEST_F(CacheControlField, NamesItsDirectivesInAnyCase_Rfc9111_5_2) {
  const CacheControl control = response({"MaX-aGe=60, S-MAXAGE=5, No-StOrE, nO-cAcHe, PRIVATE, Public"});
  EXPECT_EQ(control.max_age, 60);
  EXPECT_EQ(control.s_maxage, 5);
  EXPECT_TRUE(control.no_store && control.no_cache && control.is_private && control.is_public);
}

TEST_F(CacheControlField, HasEveryDirectiveOfAResponse_Rfc9111_5_2_2) {
  const CacheControl control = response(
      {"must-revalidate, proxy-revalidate, must-understand, immutable, stale-while-revalidate=7, stale-if-error=8"});
  EXPECT_TRUE(control.must_revalidate && control.proxy_revalidate && control.must_understand && control.immutable);
  EXPECT_EQ(control.stale_while_revalidate, 7);
  EXPECT_EQ(control.stale_if_error, 8);
  EXPECT_EQ(control.max_age, kAbsent);
}

TEST_F(CacheControlField, MayComeInSeveralLines_Rfc9110_5_3) {
  const CacheControl control = response({"max-age=3600", "", "s-maxage=1 , ,must-revalidate"});
  EXPECT_EQ(control.max_age, 3600);
  EXPECT_EQ(control.s_maxage, 1);
  EXPECT_TRUE(control.must_revalidate);
}

TEST_F(CacheControlField, TakesTokenAndQuotedStringAlike_Rfc9111_5_2) {
  EXPECT_EQ(response({"max-age=\"3600\""}).max_age, 3600);
  EXPECT_EQ(response({"max-age=003600"}).max_age, 3600);
}

TEST_F(CacheControlField, PassesOverWhatAQuotedStringHolds_Rfc9111_5_2) {
  EXPECT_EQ(response({"extension=\"max-age=3600\", max-age=1"}).max_age, 1);
  EXPECT_EQ(response({"max-age=1, extension=\"max-age=3600\""}).max_age, 1);
  EXPECT_EQ(response({"extension=\"a, no-store, \\\", no-cache\", max-age=2"}).max_age, 2);
  EXPECT_FALSE(response({"extension=\"a, no-store\""}).no_store);
}

TEST_F(CacheControlField, ForbidsStoringWhenAQuotedStringNeverEnds_Rfc9111_5_2) {
  EXPECT_TRUE(response({"extension=\"max-age=3600, no-store"}).no_store);
  EXPECT_TRUE(response({"max-age=60", "x=\"\\\""}).no_store);
}

TEST_F(CacheControlField, TakesTheLeastOfSeveralLifetimes_Rfc9111_4_2_1) {
  EXPECT_EQ(response({"max-age=1800, max-age=1"}).max_age, 1);
  EXPECT_EQ(response({"max-age=1", "max-age=1800"}).max_age, 1);
  EXPECT_EQ(response({"max-age=60, max-age=x"}).max_age, 0);
  EXPECT_EQ(response({"s-maxage=9, s-maxage=8"}).s_maxage, 8);
}

TEST_F(CacheControlField, GivesNoLifetimeByAnInvalidValue_Rfc9111_4_2_1) {
  for (const std::string_view line :
       {"max-age=a3600", "max-age=3600a", "max-age=-3600", "max-age='3600'", "max-age=3600.0", "max-age=60.5",
        "max-age= 3600", "max-age", "max-age=", "max-age=\"\"", "max-age=+5", "max-age=\"60"}) {
    EXPECT_EQ(response({line}).max_age, 0) << line;
  }
  EXPECT_EQ(response({"s-maxage=-1, max-age=60"}).s_maxage, 0);
  EXPECT_EQ(response({"stale-while-revalidate=x, stale-if-error"}).stale_while_revalidate, 0);
}

TEST_F(CacheControlField, KnowsNoDirectiveWithASpaceInItsName_Rfc9111_5_2) {
  EXPECT_EQ(response({"max-age =3600"}).max_age, kAbsent);
}

TEST_F(CacheControlField, CutsSecondsThatDoNotFit_Rfc9111_1_2_2) {
  EXPECT_EQ(response({"max-age=2147483647"}).max_age, 2147483647);
  EXPECT_EQ(response({"max-age=2147483648"}).max_age, kMostSeconds);
  EXPECT_EQ(response({"max-age=2147483649"}).max_age, kMostSeconds);
  EXPECT_EQ(response({"max-age=99999999999999999999999999999999999"}).max_age, kMostSeconds);
}

TEST_F(CacheControlField, PassesOverUnknownDirectives_Rfc9111_5_2_3) {
  const CacheControl control = response({"foobar, max-age=3600, community=\"UCI\""});
  EXPECT_EQ(control.max_age, 3600);
  EXPECT_FALSE(response({"nothing-to-see-here"}).any);
  EXPECT_TRUE(control.any);
}

TEST_F(CacheControlField, HoldsForTheWholeResponseWhenFieldsAreNamed_Rfc9111_5_2_2_4) {
  EXPECT_TRUE(response({"no-cache=\"Set-Cookie, a\", max-age=60"}).no_cache);
  EXPECT_TRUE(response({"private=\"x\""}).is_private);
}

TEST_F(CacheControlField, HasEveryDirectiveOfARequest_Rfc9111_5_2_1) {
  const CacheControl control = request({"max-age=5, max-stale=6, min-fresh=7, no-cache, no-store, only-if-cached"});
  EXPECT_EQ(control.max_age, 5);
  EXPECT_EQ(control.max_stale, 6);
  EXPECT_EQ(control.min_fresh, 7);
  EXPECT_TRUE(control.no_cache && control.no_store && control.only_if_cached);
  EXPECT_EQ(request({"max-stale"}).max_stale, kMostSeconds);
  EXPECT_EQ(request({"max-stale, max-stale=3"}).max_stale, 3);
  EXPECT_EQ(request({"min-fresh=3, min-fresh=9"}).min_fresh, 9);
}

TEST_F(CacheControlField, DoesNotWorkTheOriginByAnInvalidRequest_Rfc9111_5_2_1) {
  const CacheControl control = request({"max-age=x, max-stale=y, min-fresh=-1"});
  EXPECT_EQ(control.max_age, kAbsent);
  EXPECT_EQ(control.max_stale, kAbsent);
  EXPECT_EQ(control.min_fresh, kAbsent);
}

TEST_F(CacheControlField, OfAResponseHasNoDirectivesOfRequests_Rfc9111_5_2_1) {
  EXPECT_EQ(response({"max-stale=6, min-fresh=7"}).max_stale, kAbsent);
}

TEST(PragmaField, SaysNoCacheOrNothing_Rfc9111_5_4) {
  http::Arena arena;
  http::Fields fields(arena);
  EXPECT_FALSE(has_pragma_no_cache(fields));
  fields.add("Pragma", "foo, no-cache=x");
  EXPECT_FALSE(has_pragma_no_cache(fields));
  fields.add("Pragma", "x, No-Cache");
  EXPECT_TRUE(has_pragma_no_cache(fields));
}

}   // namespace
}   // namespace proxyd::caching
