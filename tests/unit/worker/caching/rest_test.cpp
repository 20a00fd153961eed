#include "worker/caching/rest.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/worker/caching/messages.h"

namespace proxyd::caching {
namespace {

class RestTest : public testing::Test, public Messages {
 protected:
  std::string lacks(std::string_view part) {
    const auto rest = rest_of(*http::parse_content_range(part), "\"a\"");
    if (!rest) return "nothing";
    http::Fields fields(arena());
    rest->ask_by(fields);
    return std::string(fields.value(http::FieldName::kRange)) + " if " +
           std::string(fields.value(http::FieldName::kIfRange));
  }
  static std::string begins(const Rest& rest, const http::ResponseHead& answer) {
    const auto at = rest.begins_at(answer);
    return at ? std::to_string(*at) : "nowhere";
  }
};

TEST_F(RestTest, IsWhatABeginningLacks_Rfc9111_3_3) {
  EXPECT_EQ(lacks("bytes 0-4/10"), "bytes=5- if \"a\"");
  EXPECT_EQ(lacks("bytes 0-4/*"), "bytes=5- if \"a\"");
  EXPECT_EQ(lacks("bytes 0-4/5"), "nothing");
  EXPECT_EQ(lacks("bytes 4-9/10"), "nothing");
}

TEST_F(RestTest, EndsWhereItsReaderWants_Rfc9110_14_1_2) {
  http::Fields fields(arena());
  fields.add(http::FieldName::kRange, "bytes=0-99");
  Rest{.etag = "\"a\"", .begin = 5, .end = 8}.ask_by(fields);
  EXPECT_EQ(fields.value(http::FieldName::kRange), "bytes=5-7");
}

TEST_F(RestTest, IsAskedForUnderAStrongValidatorAlone_Rfc9110_13_1_5) {
  EXPECT_TRUE((Rest{.etag = "\"a\"", .begin = 5}.can_be_asked_for()));
  EXPECT_FALSE((Rest{.etag = "W/\"a\"", .begin = 5}.can_be_asked_for()));
  EXPECT_FALSE((Rest{.etag = "", .begin = 5}.can_be_asked_for()));
}

TEST_F(RestTest, IsInThePartOrInTheWholeOfTheSameContent_Rfc9110_15_3_7_3) {
  const Rest rest{.etag = "\"a\"", .begin = 5, .complete = 10};
  const auto part = [&](std::string_view range, std::string_view etag = "\"a\"") {
    return begins(rest, response({{"ETag", etag}, {"Content-Range", range}}, 206));
  };
  EXPECT_EQ(part("bytes 5-9/10"), "5");
  EXPECT_EQ(part("bytes 5-9/10", "\"b\""), "nowhere");
  EXPECT_EQ(part("bytes 5-9/10", "W/\"a\""), "nowhere");
  EXPECT_EQ(part("bytes 4-9/10"), "nowhere");
  EXPECT_EQ(part("bytes 5-8/10"), "nowhere");
  EXPECT_EQ(part("bytes 5-9/*"), "nowhere");
  EXPECT_EQ(part("bytes 5-10/11"), "nowhere");
  EXPECT_EQ(part("bytes */10"), "nowhere");
  EXPECT_EQ(part("nothing"), "nowhere");
  EXPECT_EQ(begins(rest, response({{"ETag", "\"a\""}}, 200)), "0");
  EXPECT_EQ(begins(rest, response({{"ETag", "\"b\""}}, 200)), "nowhere");
  EXPECT_EQ(begins(rest, response({{"ETag", "\"a\""}}, 404)), "nowhere");
}

TEST_F(RestTest, AWholeOfAnotherLengthIsAnotherContent_Rfc9110_15_3_7_3) {
  http::ResponseHead whole = response({{"ETag", "\"a\""}}, 200);
  whole.content = {http::ContentLength::Kind::kKnown, 11};
  EXPECT_EQ(begins({.etag = "\"a\"", .begin = 5, .complete = 10}, whole), "nowhere");
  EXPECT_EQ(begins({.etag = "\"a\"", .begin = 5, .complete = 11}, whole), "0");
  EXPECT_EQ(begins({.etag = "\"a\"", .begin = 5}, whole), "0");
}

TEST_F(RestTest, MayEndBeforeTheContentDoes_Rfc9110_14_2) {
  const Rest rest{.etag = "\"a\"", .begin = 5, .end = 8};
  const auto part = [&](std::string_view range) {
    return begins(rest, response({{"ETag", "\"a\""}, {"Content-Range", range}}, 206));
  };
  EXPECT_EQ(part("bytes 5-7/10"), "5");
  EXPECT_EQ(part("bytes 5-7/*"), "5");
  EXPECT_EQ(part("bytes 5-6/10"), "nowhere");
}

}   // namespace
}   // namespace proxyd::caching
