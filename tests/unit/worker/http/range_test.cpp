#include "worker/http/range.h"

#include <gtest/gtest.h>

#include <string>

namespace proxyd::http {
namespace {

// "0-1 5-9" of the ranges, "whole" or "none".
std::string selected(std::string_view field, uint64_t length = 1000) {
  const RangeSelection selection = select_ranges(field, length);
  if (selection.kind == RangeSelection::Kind::kWhole) return "whole";
  if (selection.kind == RangeSelection::Kind::kUnsatisfiable) return "none";
  std::string text;
  for (const ByteRange& range : selection.ranges())
    text += (text.empty() ? "" : " ") + std::to_string(range.first) + "-" + std::to_string(range.last);
  return text;
}

std::string many(size_t count, size_t step) {
  std::string field = "bytes=";
  for (size_t i = 0; i < count; ++i) field += std::to_string(i * step) + "-" + std::to_string(i * step) + ",";
  return field;
}

TEST(Range, AsksForOctetsByPositionOrFromTheEnd_Rfc9110_14_1_2) {
  EXPECT_EQ(selected("bytes=0-1"), "0-1");
  EXPECT_EQ(selected("bytes=1-"), "1-999");
  EXPECT_EQ(selected("bytes=-1"), "999-999");
  EXPECT_EQ(selected("bytes=-5000"), "0-999");
  EXPECT_EQ(selected("bytes=990-5000"), "990-999");
  EXPECT_EQ(selected("BYTES=0-1"), "0-1");
  EXPECT_EQ(selected("bytes=0-18446744073709551616"), "0-999");
}

TEST(Range, IsUnsatisfiableBeyondTheEnd_Rfc9110_14_1_2) {
  EXPECT_EQ(selected("bytes=1000-"), "none");
  EXPECT_EQ(selected("bytes=1000-1001, -0"), "none");
  EXPECT_EQ(selected("bytes=99999999999999999999999-"), "none");
  EXPECT_EQ(selected("bytes=0-0", 0), "none");
  EXPECT_EQ(selected("bytes=-5", 0), "none");
  EXPECT_EQ(selected("bytes=2000-, 5-6"), "5-6");
}

TEST(Range, IsIgnoredWhenMalformedOrOfAnotherUnit_Rfc9110_14_2) {
  for (const std::string_view field :
       {"", "bytes", "bytes=", "bytes=,", "bytes=x", "bytes=-", "bytes=--1", "bytes=5-4", "bytes=1-2x", "bytes=0x1-2",
        "bytes=1 -2", "bytes=+1-2", "lines=0-1", "bytes 0-1", "bytes=0-1,5-4", "bytes=0-1 2-3", "bytes:0-1"}) {
    EXPECT_EQ(selected(field), "whole") << field;
  }
}

TEST(Range, MayBeSeveralInTheOrderAsked_Rfc9110_15_3_7_2) {
  EXPECT_EQ(selected("bytes=500-600, 0-10"), "500-600 0-10");
  EXPECT_EQ(selected("bytes= 0-10 ,, 500-600 ,"), "0-10 500-600");
}

TEST(Range, IsOneWithAnotherThatOverlapsOrIsNear_Rfc9110_14_2) {
  EXPECT_EQ(selected("bytes=500-600, 0-10, 5-20"), "0-20 500-600");
  EXPECT_EQ(selected("bytes=0-10, 11-20"), "0-20");
  EXPECT_EQ(selected("bytes=0-100, 5-10"), "0-100");
  EXPECT_EQ(selected("bytes=0-10, 90-100"), "0-100");
  EXPECT_EQ(selected("bytes=0-, 0-, 0-, 0-"), "0-999");
  EXPECT_EQ(selected("bytes=-10, 0-10"), "990-999 0-10");
}

TEST(Range, IsIgnoredWhenItIsAnAttack_Rfc9110_17_15) {
  EXPECT_EQ(select_ranges(many(16, 200), 1 << 20).count, 16u);
  EXPECT_EQ(selected(many(17, 200), 1 << 20), "whole");
  EXPECT_EQ(selected(many(101, 1), 1 << 20), "whole");
  EXPECT_EQ(selected(many(100, 1), 1 << 20), "0-99");
}

TEST(ContentRange, IsReadAndWritten_Rfc9110_14_4) {
  Arena arena;
  for (const std::string_view text : {"bytes 0-4/10", "bytes 4-9/10", "bytes 0-0/*", "bytes */10"}) {
    const auto range = parse_content_range(text);
    ASSERT_TRUE(range) << text;
    EXPECT_EQ(write_content_range(*range, arena), text);
  }
  EXPECT_EQ(parse_content_range("Bytes 4-9/10")->range, (ByteRange{4, 9}));
}

TEST(ContentRange, IsNothingWhenItContradictsItself_Rfc9110_14_4) {
  for (const std::string_view text : {"bytes 0-9/5", "bytes 5-4/10", "bytes */*", "bytes 0-10/10", "bytes=0-4/10",
                                      "bytes 0-4", "bytes -4/10", "bytes 0-/10", "lines 0-4/10", "bytes  0-4/10",
                                      "bytes 0-18446744073709551615/*", "bytes 0-4/x", "", "bytes 0-4/-1"}) {
    EXPECT_FALSE(parse_content_range(text)) << text;
  }
}

TEST(ContentRange, EndsWhereTheContentEnds) {
  const auto fitted = [](std::string_view text, uint64_t length) -> std::string {
    Arena arena;
    const auto part = fit_to_content(*parse_content_range(text), length);
    return part ? std::string(write_content_range(*part, arena)) : "nothing";
  };
  EXPECT_EQ(fitted("bytes 0-4/10", 5), "bytes 0-4/10");
  EXPECT_EQ(fitted("bytes 4-9/10", 5), "bytes 4-8/9");
  EXPECT_EQ(fitted("bytes 0-4/10", 3), "bytes 0-2/10");
  EXPECT_EQ(fitted("bytes 0-4/10", 20), "bytes 0-19/20");
  EXPECT_EQ(fitted("bytes 0-4/*", 3), "bytes 0-2/*");
  EXPECT_EQ(fitted("bytes 0-4/10", 0), "nothing");
  EXPECT_EQ(fitted("bytes */10", 5), "nothing");
}

TEST(MultipartRanges, HaveAHeadForEachPart_Rfc9110_14_6) {
  Arena arena;
  const RangeSelection selection = select_ranges("bytes=0-1, 500-502", 1000);
  const MultipartRanges parts("B", "text/plain", 1000);
  EXPECT_EQ(parts.content_type(arena), "multipart/byteranges; boundary=B");
  std::string content(parts.head(selection.ranges()[0], true, arena));
  EXPECT_EQ(content, "--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/1000\r\n\r\n");
  content += "xx";
  content += parts.head(selection.ranges()[1], false, arena);
  content += "yyy";
  content += parts.end(arena);
  EXPECT_TRUE(
      content.ends_with("xx\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 500-502/1000\r\n\r\nyyy"
                        "\r\n--B--\r\n"));
  EXPECT_EQ(parts.length(selection.ranges()), content.size());
}

TEST(MultipartRanges, MayHaveNoContentType_Rfc9110_8_3) {
  Arena arena;
  const MultipartRanges parts("abc", "", 5);
  const ByteRange range{3, 4};
  const std::string content = std::string(parts.head(range, true, arena)) + "xx" + std::string(parts.end(arena));
  EXPECT_EQ(content, "--abc\r\nContent-Range: bytes 3-4/5\r\n\r\nxx\r\n--abc--\r\n");
  EXPECT_EQ(parts.length({&range, 1}), content.size());
}

}   // namespace
}   // namespace proxyd::http
