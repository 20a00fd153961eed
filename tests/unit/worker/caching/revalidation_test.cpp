#include "worker/caching/revalidation.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/worker/caching/messages.h"

namespace proxyd::caching {
namespace {

std::string text_of(const http::Fields& fields) {
  std::string text;
  for (const http::Field& field : fields) text += std::string(field.name) + ": " + std::string(field.value) + "\n";
  return text;
}

class Revalidation : public testing::Test, public Messages {
 protected:
  std::string asked(Lines lines, const StoredValidators& stored, RangeMode range = RangeMode::kFull) {
    return text_of(origin_request_fields(fields(lines), stored, range));
  }
  Freshened freshened(Lines stored, Lines not_modified, int stored_status = 200, int status = 304) {
    const http::RequestHead asking = request();
    const http::ResponseHead renewing = response(not_modified, status);
    return freshen(fields(stored), stored_status, {asking, renewing, url, kNow, kNow}, policy);
  }
  std::string after(Lines stored, Lines not_modified) {
    return text_of(freshened(stored, not_modified).response.fields);
  }
  Policy policy;
  Url url{http::Scheme::kHttp, "a.test", "/a", {}, false};
};

TEST_F(Revalidation, AsksByTheStoredValidators_Rfc9111_4_3_1) {
  EXPECT_EQ(asked({{"Abc", "123"}}, {"\"x\"", "yesterday"}),
            "Abc: 123\nIf-None-Match: \"x\"\nIf-Modified-Since: yesterday\n");
  EXPECT_EQ(asked({}, {"W/\"x\"", ""}), "If-None-Match: W/\"x\"\n");
  EXPECT_EQ(asked({{"A", "1"}}, {}), "A: 1\n");
}

TEST_F(Revalidation, LeavesOutWhatTheClientAskedFor_Rfc9111_4_3_1) {
  const Lines lines = {{"If-None-Match", "\"c\""}, {"If-Modified-Since", "x"}, {"Range", "bytes=0-1"},
                       {"If-Range", "\"c\""},      {"If-Match", "*"},          {"A", "1"}};
  EXPECT_EQ(asked(lines, {"\"x\"", ""}), "A: 1\nIf-None-Match: \"x\"\n");
  EXPECT_EQ(asked(lines, {}, RangeMode::kPass), "Range: bytes=0-1\nIf-Range: \"c\"\nA: 1\n");
}

TEST_F(Revalidation, TakesA304ForTheResponseOfTheSameValidator_Rfc9111_4_3_4) {
  const StoredValidators stored{"\"x\"", "monday"};
  EXPECT_TRUE(is_freshened_by(fields({{"ETag", "\"x\""}}), stored));
  EXPECT_FALSE(is_freshened_by(fields({{"ETag", "\"y\""}}), stored));
  EXPECT_TRUE(is_freshened_by(fields({{"ETag", "W/\"x\""}}), stored));
  EXPECT_FALSE(is_freshened_by(fields({{"ETag", "\"x\""}}), {"W/\"x\"", ""}));
  EXPECT_TRUE(is_freshened_by(fields({{"Last-Modified", "monday"}}), stored));
  EXPECT_FALSE(is_freshened_by(fields({{"Last-Modified", "tuesday"}}), stored));
  EXPECT_TRUE(is_freshened_by(fields({}), stored));
  EXPECT_FALSE(is_freshened_by(fields({{"ETag", "\"x\""}}), {"", "monday"}));
}

TEST_F(Revalidation, UpdatesEveryFieldButThoseOfTheContent_Rfc9111_3_2) {
  EXPECT_EQ(after({{"Test-Header", "A"}, {"Date", "old"}, {"Cache-Control", "max-age=1"}, {"ETag", "\"x\""}},
                  {{"test-header", "B"}, {"Date", "new"}, {"Cache-Control", "max-age=3600"}, {"ETag", "\"x\""}}),
            "test-header: B\nDate: new\nCache-Control: max-age=3600\nETag: \"x\"\n");
  EXPECT_EQ(after({{"Content-Type", "text/plain"},
                   {"Content-Encoding", "gzip"},
                   {"Content-Range", "bytes 0-1/2"},
                   {"Content-Foo", "A"}},
                  {{"Date", "new"},
                   {"Content-Type", "text/html"},
                   {"Content-Encoding", "br"},
                   {"Content-Length", "5"},
                   {"Content-Range", "bytes 0-0/1"},
                   {"Content-Foo", "B"}}),
            "Content-Encoding: gzip\nContent-Range: bytes 0-1/2\nDate: new\nContent-Type: text/html\nContent-Foo: B\n");
}

TEST_F(Revalidation, KeepsFieldsThatA304LeavesOut_Rfc9111_3_2) {
  EXPECT_EQ(after({{"Test-Header", "A"}, {"Date", "old"}}, {{"Date", "new"}}), "Test-Header: A\nDate: new\n");
}

TEST_F(Revalidation, ReplacesAllLinesOfAName_Rfc9111_3_2) {
  EXPECT_EQ(after({{"X", "1"}, {"X", "2"}, {"Date", "d"}}, {{"X", "3"}, {"Date", "d"}, {"X", "4"}}),
            "X: 3\nDate: d\nX: 4\n");
}

TEST_F(Revalidation, TakesNoFieldsThatAreNeverStored_Rfc9111_3_1) {
  EXPECT_EQ(after({{"Date", "d"}}, {{"Date", "e"}, {"Keep-Alive", "x"}, {"Proxy-Authenticate", "x"}, {"Age", "5"}}),
            "Date: e\n");
}

TEST_F(Revalidation, GivesANewLifetime_Rfc9111_4_3_4) {
  const Freshened renewed = freshened({{"Cache-Control", "max-age=1"}, {"ETag", "\"x\""}},
                                      {{"Cache-Control", "max-age=3600"}, {"ETag", "\"x\""}, {"Age", "9"}});
  ASSERT_TRUE(renewed.storing.stored());
  EXPECT_EQ(renewed.storing.freshness.lifetime, 3'600'000);
  EXPECT_EQ(renewed.storing.freshness.initial_age, 9000);
  EXPECT_EQ(renewed.storing.freshness.status, 200);
  EXPECT_EQ(renewed.storing.freshness.response_time, kNow.steady);
  EXPECT_EQ(renewed.response.status, 200);
  EXPECT_EQ(freshened({{"Cache-Control", "max-age=2"}, {"ETag", "\"x\""}}, {}).storing.freshness.lifetime, 2000);
}

TEST_F(Revalidation, KeepsTheCookieOfOneClientFromOthers_Rfc9111_7_3) {
  const Freshened renewed = freshened({{"Cache-Control", "max-age=2"}, {"ETag", "\"x\""}}, {{"Set-Cookie", "a=b"}});
  EXPECT_TRUE(renewed.storing.stored());
  EXPECT_FALSE(renewed.response.fields.has(http::FieldName::kSetCookie));
}

TEST_F(Revalidation, MayEndTheStoring_Rfc9111_3) {
  EXPECT_EQ(
      freshened({{"Cache-Control", "max-age=2"}, {"ETag", "\"x\""}}, {{"Cache-Control", "no-store"}}).storing.reason,
      Reason::kNoStore);
}

TEST_F(Revalidation, ByHeadKeepsWhatIsStored_Rfc9111_4_3_5) {
  const http::RequestHead asking = request({}, "HEAD");
  const http::ResponseHead renewing = response({{"Cache-Control", "max-age=1000"}, {"Template-A", "2"}});
  const Freshened renewed = freshen(fields({{"Cache-Control", "max-age=2"}, {"Template-A", "1"}, {"B", "1"}}), 200,
                                    {asking, renewing, url, kNow, kNow}, policy);
  EXPECT_TRUE(renewed.storing.stored());
  EXPECT_EQ(renewed.storing.freshness.lifetime, 1'000'000);
  EXPECT_EQ(renewed.response.fields.value(http::FieldName::kCacheControl), "max-age=1000");
  EXPECT_EQ(renewed.response.fields.find("B")->value, "1");
}

TEST_F(Revalidation, ByHeadFreshensOrInvalidates_Rfc9111_4_3_5) {
  const auto effect = [&](Lines lines, std::optional<uint64_t> length = {}, int status = 200) {
    return effect_of_head(response(lines, status), length, {"\"x\"", "monday"}, 200, 10);
  };
  EXPECT_EQ(effect({}), HeadEffect::kFreshen);
  EXPECT_EQ(effect({{"ETag", "\"x\""}, {"Last-Modified", "monday"}}, 10), HeadEffect::kFreshen);
  EXPECT_EQ(effect({{"ETag", "\"y\""}}), HeadEffect::kInvalidate);
  EXPECT_EQ(effect({{"Last-Modified", "tuesday"}}), HeadEffect::kInvalidate);
  EXPECT_EQ(effect({}, 11), HeadEffect::kInvalidate);
  EXPECT_EQ(effect({}, 10, 410), HeadEffect::kNone);
  EXPECT_EQ(effect_of_head(response(), {}, {}, 404, 10), HeadEffect::kNone);
}

TEST_F(Revalidation, FindsARangeWithinAStoredPart_Rfc9111_3_3) {
  const auto found = [](std::string_view field, std::string_view part) -> std::string {
    const auto range = range_within(field, *http::parse_content_range(part));
    return range ? std::to_string(range->first) + "-" + std::to_string(range->last) : "nothing";
  };
  EXPECT_EQ(found("bytes=6-8", "bytes 4-9/10"), "6-8");
  EXPECT_EQ(found("bytes=6-", "bytes 4-9/10"), "6-9");
  EXPECT_EQ(found("bytes=-1", "bytes 4-9/10"), "9-9");
  EXPECT_EQ(found("bytes=-6", "bytes 4-9/10"), "4-9");
  EXPECT_EQ(found("bytes=-7", "bytes 4-9/10"), "nothing");
  EXPECT_EQ(found("bytes=3-5", "bytes 4-9/10"), "nothing");
  EXPECT_EQ(found("bytes=4-5,900-901", "bytes 4-9/1000"), "nothing");
  EXPECT_EQ(found("bytes=5-6", "bytes 4-9/*"), "5-6");
  EXPECT_EQ(found("bytes=5-", "bytes 4-9/*"), "nothing");
  EXPECT_EQ(found("bytes=-1", "bytes 4-9/*"), "nothing");
}

}   // namespace
}   // namespace proxyd::caching
