#include "worker/caching/storing.h"

#include <gtest/gtest.h>

#include "tests/unit/worker/caching/messages.h"

namespace proxyd::caching {
namespace {

class Storing : public testing::Test, public Messages {
 protected:
  caching::Storing decide(const http::RequestHead& asked, const http::ResponseHead& answered) {
    return decide_storing({asked, answered, url, kNow, kNow}, policy);
  }
  caching::Storing decide(Lines lines, int status = 200, Lines request_lines = {}) {
    return decide(request(request_lines), response(lines, status));
  }
  std::string_view why(Lines lines, int status = 200, Lines request_lines = {}) {
    return to_string(decide(lines, status, request_lines).reason);
  }
  Freshness freshness(Lines lines, int status = 200) { return decide(lines, status).freshness; }

  Policy policy;
  Url url{http::Scheme::kHttp, "a.test", "/a", {}, false};
};

TEST_F(Storing, NeedsALifetimeOrAnOriginThatCallsItShareable_Rfc9111_3) {
  EXPECT_EQ(why({{"Cache-Control", "max-age=60"}}), "none");
  EXPECT_EQ(why({{"Expires", date_text(60)}}), "none");
  EXPECT_EQ(why({}), "no_lifetime");
  EXPECT_EQ(why({{"ETag", "\"x\""}}), "no_lifetime");
  EXPECT_EQ(why({{"Last-Modified", date_text(-500)}}), "no_lifetime");
  EXPECT_EQ(why({{"Cache-Control", "foobar"}, {"ETag", "\"x\""}}), "no_lifetime");
  EXPECT_EQ(why({{"Cache-Control", "public"}, {"ETag", "\"x\""}}), "none");
  EXPECT_EQ(why({{"Cache-Control", "no-cache"}, {"ETag", "\"x\""}}), "none");
}

TEST_F(Storing, IsForbiddenByNoStoreAndPrivate_Rfc9111_5_2_2) {
  EXPECT_EQ(why({{"Cache-Control", "max-age=10000, no-store"}, {"Expires", date_text(500)}}), "no_store");
  EXPECT_EQ(why({{"Cache-Control", "private, max-age=3600"}}), "private");
  EXPECT_EQ(why({{"Cache-Control", "private=\"X\", max-age=3600"}}), "private");
  EXPECT_EQ(why({{"Cache-Control", "max-age=60"}}, 200, {{"Cache-Control", "no-store"}}), "request_no_store");
  EXPECT_EQ(why({{"CDN-Cache-Control", "private"}, {"Cache-Control", "max-age=60"}}), "private");
  EXPECT_EQ(why({{"CDN-Cache-Control", "max-age=60"}, {"Cache-Control", "no-store"}}), "none");
}

TEST_F(Storing, OverridesNoStoreForAStatusThatMustBeUnderstood_Rfc9111_5_2_2_3) {
  EXPECT_EQ(why({{"Cache-Control", "max-age=60, no-store, must-understand"}}, 200), "none");
  EXPECT_EQ(why({{"Cache-Control", "max-age=60, no-store, must-understand"}}, 599), "not_understood");
  EXPECT_EQ(why({{"Cache-Control", "max-age=60, must-understand"}}, 599), "not_understood");
}

TEST_F(Storing, TakesAnyFinalStatusWithALifetimeOfItsOwn_Rfc9111_3) {
  for (const int status : {200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599})
    EXPECT_EQ(why({{"Cache-Control", "max-age=60"}}, status), "none") << status;
  for (const int status : {101, 304, 412, 416})
    EXPECT_EQ(why({{"Cache-Control", "max-age=60"}}, status), "status") << status;
  EXPECT_EQ(why({}, 400), "no_lifetime");
}

TEST_F(Storing, TakesNoAnswerToHeadNorToOtherMethods_Rfc9111_3) {
  const http::ResponseHead fresh = response({{"Cache-Control", "max-age=60"}});
  EXPECT_EQ(decide(request({}, "HEAD"), fresh).reason, Reason::kMethod);
  EXPECT_EQ(decide(request({}, "POST"), fresh).reason, Reason::kMethod);
  EXPECT_EQ(decide(request({}, "get"), fresh).reason, Reason::kMethod);
}

TEST_F(Storing, TakesAnAnswerToPostThatIsTheOneOfAGet_Rfc9110_9_3_3) {
  policy.methods.push_back(http::Method::kPost);
  const auto post = [&](Lines lines) { return to_string(decide(request({}, "POST"), response(lines)).reason); };
  EXPECT_EQ(post({{"Expires", date_text(60)}, {"Content-Location", "/a"}}), "none");
  EXPECT_EQ(post({{"Expires", date_text(60)}, {"Content-Location", "http://A.test:80/b/../a"}}), "none");
  EXPECT_EQ(post({{"Expires", date_text(60)}, {"Content-Location", "/b"}}), "content_location");
  EXPECT_EQ(post({{"Expires", date_text(60)}}), "content_location");
  EXPECT_EQ(post({{"Content-Location", "/a"}}), "no_lifetime");
  EXPECT_EQ(post({{"Cache-Control", "max-age=0"}, {"ETag", "\"x\""}, {"Content-Location", "/a"}}), "no_lifetime");
}

TEST_F(Storing, NeedsLeaveForAnAuthorizedRequest_Rfc9111_3_5) {
  const Lines authorized = {{"Authorization", "FOO"}};
  EXPECT_EQ(why({{"Expires", date_text(500)}}, 200, authorized), "authorization");
  EXPECT_EQ(why({{"Cache-Control", "max-age=60"}}, 200, authorized), "authorization");
  EXPECT_EQ(why({{"Cache-Control", "max-age=60, public"}}, 200, authorized), "none");
  EXPECT_EQ(why({{"Cache-Control", "max-age=60, must-revalidate"}}, 200, authorized), "none");
  EXPECT_EQ(why({{"Cache-Control", "s-maxage=60"}}, 200, authorized), "none");
}

TEST_F(Storing, NeedsLeaveForSetCookie_Rfc9111_7_3) {
  const Lines lines = {{"Set-Cookie", "a=b"}, {"Cache-Control", "public, max-age=60"}};
  EXPECT_EQ(why(lines), "set_cookie");
  policy.store_set_cookie = StoreSetCookie::kStrip;
  EXPECT_EQ(why(lines), "none");
  EXPECT_FALSE(stored_fields(response(lines), policy, kNow).has(http::FieldName::kSetCookie));
}

TEST_F(Storing, IsNotDoneWhereNoKeyHoldsWhatItVariesBy) {
  EXPECT_EQ(why({{"Cache-Control", "max-age=60"}, {"Vary", "*"}}), "vary");
  EXPECT_EQ(why({{"Cache-Control", "max-age=60"}, {"Vary", "X"}}, 200, {{"X", std::string(5000, 'x')}}),
            "vary_too_long");
}

TEST_F(Storing, KeepsCodingsFromThoseWhoCanNotReadThem_Rfc9111_4_1) {
  const Lines deflate = {{"Cache-Control", "max-age=60"}, {"Vary", "Accept-Encoding"}, {"Content-Encoding", "deflate"}};
  const Lines gzip = {{"Cache-Control", "max-age=60"}, {"Vary", "Accept-Encoding"}, {"Content-Encoding", "gzip"}};
  EXPECT_EQ(why(deflate, 200, {{"Accept-Encoding", "gzip, deflate"}}), "coding");
  EXPECT_EQ(why(gzip, 200, {{"Accept-Encoding", "gzip, deflate"}}), "none");
  EXPECT_EQ(why(gzip), "coding");
  EXPECT_EQ(decide(gzip, 200, {{"Accept-Encoding", "gzip"}}).vary_list, "accept-encoding");
}

TEST_F(Storing, HasABoundOfSize) {
  http::ResponseHead large = response({{"Cache-Control", "max-age=60"}});
  large.content = {http::ContentLength::Kind::kKnown, policy.max_object};
  EXPECT_EQ(decide(request(), large).reason, Reason::kNone);
  ++large.content.bytes;
  EXPECT_EQ(decide(request(), large).reason, Reason::kTooLarge);
}

TEST_F(Storing, TakesPartsOnlyWhereRangesPass_Rfc9111_3_3) {
  const Lines part = {{"Cache-Control", "max-age=60"}, {"Content-Range", "bytes 4-9/10"}};
  EXPECT_EQ(why(part, 206), "partial");
  policy.range = RangeMode::kPass;
  EXPECT_EQ(why(part, 206), "none");
  EXPECT_TRUE(freshness(part, 206).has(Freshness::kPartial));
  EXPECT_EQ(why({{"Cache-Control", "max-age=60"}, {"Content-Range", "bytes 0-9/5"}}, 206), "content_range");
  EXPECT_EQ(why({{"Cache-Control", "max-age=60"}, {"Content-Type", "multipart/byteranges; boundary=x"}}, 206),
            "content_range");
}

TEST_F(Storing, IsOfNoUseForWhatIsStaleAndCanNotBeValidated) {
  EXPECT_EQ(why({{"Cache-Control", "max-age=0"}}), "expired");
  EXPECT_EQ(why({{"Cache-Control", "max-age=60"}, {"Age", "60"}}), "expired");
  EXPECT_EQ(why({{"Expires", "0"}}), "expired");
  EXPECT_EQ(why({{"Cache-Control", "max-age=0"}, {"ETag", "\"x\""}}), "none");
  EXPECT_EQ(why({{"Cache-Control", "max-age=0"}, {"Last-Modified", date_text(-5)}}), "none");
  EXPECT_EQ(why({{"Cache-Control", "max-age=0, stale-while-revalidate=5"}}), "none");
  EXPECT_EQ(why({{"Cache-Control", "no-cache, max-age=60"}}), "no_validator");
  EXPECT_EQ(why({{"Cache-Control", "public"}}), "no_validator");
}

TEST_F(Storing, KeepsWhatReuseWillAsk) {
  const Freshness kept = freshness({{"Cache-Control", "max-age=60, immutable"},
                                    {"Age", "7"},
                                    {"Date", date_text(-3)},
                                    {"ETag", "\"x\""},
                                    {"Last-Modified", date_text(-500)}});
  EXPECT_EQ(kept.response_time, kNow.steady);
  EXPECT_EQ(kept.initial_age, 7000);
  EXPECT_EQ(kept.lifetime, 60'000);
  EXPECT_EQ(kept.source, LifetimeSource::kMaxAge);
  EXPECT_EQ(kept.date, kNowSeconds - 3);
  EXPECT_EQ(kept.last_modified, kNowSeconds - 500);
  EXPECT_EQ(kept.status, 200);
  EXPECT_EQ(kept.flags,
            Freshness::kImmutable | Freshness::kHasEtag | Freshness::kHasStrongEtag | Freshness::kHasLastModified);
  EXPECT_FALSE(freshness({{"Cache-Control", "max-age=60"}, {"ETag", "W/\"x\""}}).has(Freshness::kHasStrongEtag));
  EXPECT_TRUE(freshness({{"CDN-Cache-Control", "max-age=60"}}).has(Freshness::kTargeted));
}

TEST_F(Storing, KnowsHowLongItMayBeUsedWhenStale_Rfc5861) {
  policy.stale_while_revalidate = 5000;
  policy.stale_if_error = 6000;
  const auto windows = [&](std::string_view control) {
    const Freshness kept = freshness({{"Cache-Control", control}, {"ETag", "\"x\""}});
    return std::to_string(kept.stale_while_revalidate) + " " + std::to_string(kept.stale_if_error) + " " +
           std::to_string(kept.has(Freshness::kMustRevalidate));
  };
  EXPECT_EQ(windows("max-age=60"), "5000 6000 0");
  EXPECT_EQ(windows("max-age=60, stale-while-revalidate=9, stale-if-error=0"), "9000 0 0");
  EXPECT_EQ(windows("max-age=60, must-revalidate, stale-while-revalidate=9, stale-if-error=9"), "0 0 1");
  EXPECT_EQ(windows("max-age=60, proxy-revalidate, stale-if-error=9"), "0 0 1");
  EXPECT_EQ(windows("max-age=60, no-cache"), "0 0 1");
  EXPECT_EQ(windows("s-maxage=60"), "0 0 1");
  EXPECT_EQ(windows("s-maxage=60, stale-while-revalidate=9"), "9000 0 1");
  EXPECT_EQ(windows("max-age=0"), "0 0 0");   // the policy prolongs, it does not share what the origin did not
  EXPECT_EQ(windows("max-age=0, stale-if-error=9"), "0 9000 0");
  EXPECT_EQ(windows("public"), "0 0 0");
}

TEST_F(Storing, IgnoresRequestsDirectivesWhereThePolicyDoes) {
  policy.ignore_cache_control = true;
  policy.default_ttl = {{200, 60'000}};
  EXPECT_EQ(why({{"Cache-Control", "no-store"}}, 200, {{"Cache-Control", "no-store"}}), "none");
}

TEST_F(Storing, LeavesOutFieldsOfTheConnection_Rfc9111_3_1) {
  http::ResponseHead head = response({{"Connection", "a, B, keep-alive"},
                                      {"A", "1"},
                                      {"b", "2"},
                                      {"c", "3"},
                                      {"Keep-Alive", "x"},
                                      {"Proxy-Authenticate", "x"},
                                      {"Proxy-Authentication-Info", "x"},
                                      {"Proxy-Connection", "x"},
                                      {"TE", "x"},
                                      {"Upgrade", "x"},
                                      {"Age", "5"},
                                      {"Date", date_text(-9)},
                                      {"WWW-Authenticate", "x"},
                                      {"Transfer-Encoding", "x"}});
  head.connection.fields = http::bit_of(http::FieldName::kKeepAlive);
  head.connection.other_fields = 2;
  std::string text;
  for (const http::Field& field : stored_fields(head, policy, kNow)) text += std::string(field.name) + " ";
  EXPECT_EQ(text, "c Date WWW-Authenticate ");
}

TEST_F(Storing, OfAPartSaysWhatCameOfIt_Rfc9110_14_4) {
  const auto fitted = [this](std::string_view said, std::optional<uint64_t> length) {
    http::Fields made = fields({{"Content-Range", said}});
    const bool fits = fit_content_range(made, length);
    return fits ? std::string(made.value(http::FieldName::kContentRange)) : "none";
  };
  EXPECT_EQ(fitted("bytes 0-9/50", 10), "bytes 0-9/50");
  EXPECT_EQ(fitted("bytes 0-9/50", 4), "bytes 0-3/50");
  EXPECT_EQ(fitted("bytes 0-9/50", 0), "none");
  EXPECT_EQ(fitted("bytes 0-9/50", std::nullopt), "none");
  http::Fields whole = fields({{"ETag", "\"x\""}});
  EXPECT_TRUE(fit_content_range(whole, std::nullopt));
  EXPECT_FALSE(whole.has(http::FieldName::kContentRange));
}

TEST_F(Storing, AddsADateWhereThereIsNone_Rfc9110_6_6_1) {
  EXPECT_EQ(stored_fields(response(), policy, kNow).value(http::FieldName::kDate), date_text(0));
  const std::string before = date_text(-5);
  EXPECT_EQ(stored_fields(response({{"Date", before}}), policy, kNow).value(http::FieldName::kDate), date_text(-5));
}

}   // namespace
}   // namespace proxyd::caching
