#include <gtest/gtest.h>

#include <random>
#include <string>

#include "worker/http1/chunked.h"
#include "worker/http1/head_parser.h"
#include "worker/http1/request_check.h"
#include "worker/http1/serializer.h"

namespace proxyd::http1 {
namespace {

// What a parser made of octets, as text, so that two runs can be compared.
std::string outcome(std::string_view octets, size_t step) {
  http::Arena arena;
  http::RequestHead head(arena);
  const HeadRules rules;
  RequestParser parser(head, rules);
  for (size_t end = std::min(step, octets.size());; end = std::min(end + step, octets.size())) {
    const Progress progress = parser.parse(octets.substr(0, end));
    if (progress == Progress::kRefused) return "refused " + std::string(http::to_string(parser.fault().refusal));
    if (progress == Progress::kComplete) break;
    if (end == octets.size()) return "more";
  }
  std::string text =
      std::string(head.method_text) + "|" + std::string(parser.target_text()) + "|" + std::to_string(parser.consumed());
  for (const http::Field& field : head.fields) text += "|" + std::string(field.name) + "=" + std::string(field.value);
  return text;
}

std::string chunks(std::string_view octets, size_t step) {
  http::Arena arena;
  http::Fields trailers(arena);
  ChunkedDecoder decoder(trailers, Underscore::kReject);
  std::string data;
  std::string buffer;
  size_t fed = 0;
  for (;;) {
    const ChunkedDecoder::Step next = decoder.next(buffer);
    const size_t taken = next.data.size();
    data += next.data;   // before the buffer moves
    buffer.erase(0, next.consumed);
    if (next.state == ChunkedDecoder::State::kData) {
      decoder.take_data(taken);
      buffer.erase(0, taken);
      continue;
    }
    if (next.state == ChunkedDecoder::State::kEnd) {
      for (const http::Field& field : trailers) data += "|" + std::string(field.name) + "=" + std::string(field.value);
      return data + "|rest=" + buffer + std::string(octets.substr(fed));
    }
    if (next.state == ChunkedDecoder::State::kRefused)
      return "refused " + std::string(http::to_string(decoder.refusal()));
    if (fed == octets.size()) return "more " + data;
    const size_t more = std::min(step, octets.size() - fed);
    buffer += octets.substr(fed, more);
    fed += more;
  }
}

TEST(RequestParser, TakesExactlyTheHeadSoThatPipeliningWorks) {
  EXPECT_EQ(outcome("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b", 4096), "GET|/a|28|Host=x");
}

TEST(RequestParser, GivesTheSameByteByByteAsAtOnceOnMutatedInputs) {
  const std::string seeds[] = {
      "GET /index.html?a=b HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nCookie: a=1; b=2\r\n\r\n",
      "POST / HTTP/1.0\r\nContent-Length: 3\r\nX:\t y \r\n\r\nabc", "\r\n\r\nGET * HTTP/1.1\r\n\r\n"};
  std::mt19937 random(20261124);
  for (int round = 0; round < 60000; ++round) {
    std::string text = seeds[random() % 3];
    for (unsigned changes = random() % 4; changes > 0; --changes) {
      const size_t at = random() % text.size();
      const char options[] = {'\r', '\n', '\0', ' ', ':', '\t', 'x', '\x7f', '\x80'};
      if (random() % 3 == 0)
        text.erase(at, 1 + random() % 3);
      else
        text.insert(at, 1, options[random() % sizeof options]);
      if (text.empty()) text = "G";
    }
    const std::string at_once = outcome(text, text.size());
    ASSERT_EQ(outcome(text, 1), at_once) << testing::PrintToString(text);
    ASSERT_EQ(outcome(text, 7), at_once) << testing::PrintToString(text);
  }
}

TEST(RequestParser, BoundsTheRequestLineAndTheSection) {
  EXPECT_EQ(outcome("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n", 1000), "refused uri_too_long");
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nX: " + std::string(40000, 'a'), 1000), "refused header_size");
}

TEST(RequestParser, TakesALineAsLongAsItMayBeHoweverItArrives) {
  const std::string head = "GET /" + std::string(8 * 1024 - 14, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(outcome(head, head.size()), outcome(head, 1));
  EXPECT_EQ(outcome(head, head.size()).substr(0, 5), "GET|/");
  const std::string longer = "GET /x" + head.substr(5);
  EXPECT_EQ(outcome(longer, longer.size()), "refused " + std::string(http::to_string(http::Refusal::kUriTooLong)));
  EXPECT_EQ(outcome(longer, 1), outcome(longer, longer.size()));
}

TEST(RequestParser, HasNoLimitThatAddingToAnOffsetCouldExceed) {
  http::Arena arena;
  http::RequestHead head(arena);
  const HeadRules rules{.max_section = SIZE_MAX};
  RequestParser parser(head, rules);
  EXPECT_EQ(parser.parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Progress::kComplete);
}

TEST(FieldLines, LeaveAsTheyCameExceptForThoseThatWereRemovedOrWrittenAnew) {
  http::Arena arena;
  http::RequestHead head(arena);
  const HeadRules rules{.underscore = Underscore::kDrop};
  RequestParser parser(head, rules);
  const std::string received =
      "GET / HTTP/1.1\r\nA: 1\r\nB:2\r\nC: 3 \r\nCookie: 4\r\nd_e: 5\r\nF:  6\r\nG: \xC3\xA4\t7\r\nH:\r\nI: 8\r\n\r\n";
  ASSERT_EQ(parser.parse(received), Progress::kComplete);
  const auto written = [&head] {
    char room[256];
    Serializer serializer(room, sizeof room);
    serializer.field_lines(head.fields);
    return std::string(serializer.text());
  };
  EXPECT_EQ(written(), "A: 1\r\nB: 2\r\nC: 3\r\nCookie: 4\r\nF: 6\r\nG: \xC3\xA4\t7\r\nH: \r\nI: 8\r\n");
  head.fields.remove(http::FieldName::kCookie);
  head.fields.set("G", "new");
  EXPECT_EQ(written(), "A: 1\r\nB: 2\r\nC: 3\r\nF: 6\r\nH: \r\nI: 8\r\nG: new\r\n");
  for (size_t room = 0; room < 20; ++room) {
    char small[20];
    Serializer serializer(small, room);
    serializer.field_lines(head.fields);
    EXPECT_TRUE(serializer.overflowed());
    EXPECT_LE(serializer.size(), room);
  }
}

TEST(Chunked, GivesTheSameByteByByteAsAtOnce) {
  const std::string seeds[] = {"5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\nNEXT",
                               "3\r\nabc\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\nGET", "0\r\n\r\n"};
  EXPECT_EQ(chunks(seeds[0], 4096), "hello world|rest=NEXT");
  EXPECT_EQ(chunks(seeds[1], 4096), "abc|X-T=1|Y=2|rest=GET");
  std::mt19937 random(7);
  for (int round = 0; round < 60000; ++round) {
    std::string text = seeds[random() % 3];
    for (auto changes = random() % 3; changes > 0; --changes) text[random() % text.size()] = "\r\n;0a g"[random() % 7];
    ASSERT_EQ(chunks(text, 1), chunks(text, text.size())) << testing::PrintToString(text);
  }
}

TEST(Target, IsNormalizedOnce_rfc3986_6_2) {
  http::Arena arena;
  const std::pair<const char*, const char*> cases[] = {
      {"//a", "/a"},        {"/./a", "/a"}, {"/a/../a", "/a"},  {"/a/", "/a/"},        {"/%61", "/a"},
      {"/a%2fb", "/a%2fb"}, {"/a/..", "/"}, {"/../../x", "/x"}, {"/a/%2e%2e/b", "/b"}, {"/admin/..;/x", "/admin/..;/x"},
      {"/a/.", "/a/"}};
  for (const auto& [raw, normal] : cases) {
    const auto target = http::parse_target(raw, http::Method::kGet, arena);
    ASSERT_TRUE(target) << raw;
    EXPECT_EQ(target->path, normal) << raw;
    EXPECT_EQ(http::normalize_path(target->path, arena), target->path) << raw;
  }
}

TEST(Authority, RefusesWhatIsNoHost_rfc9110_4_2) {
  http::Arena arena;
  for (const char* wrong : {"", "a b", "a/x", "a:80:80", "a:99999", "u@a", "a,b", "[::1", "[::1]x", ":80"})
    EXPECT_FALSE(http::parse_authority(wrong, arena)) << wrong;
  EXPECT_EQ(http::parse_authority("EXAMPLE.com.:8080", arena)->host, "example.com");
  EXPECT_EQ(http::parse_authority("[::1]:81", arena)->port, 81);
}

}   // namespace
}   // namespace proxyd::http1
