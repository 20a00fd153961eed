#include "worker/caching/slices.h"

#include <gtest/gtest.h>

namespace proxyd::caching {
namespace {

using http::FieldName;

struct SlicesTest : testing::Test {
  http::Arena arena;

  std::optional<Slice> slice(std::string_view content_range, uint64_t number, std::string_view etag = "\"a\"") {
    http::Fields fields(arena);
    fields.add(FieldName::kEtag, etag);
    fields.add(FieldName::kContentRange, content_range);
    return slice_of(fields, number, 100);
  }
};

TEST_F(SlicesTest, ASliceIsAlignedAndFullButTheLastOne) {
  EXPECT_EQ(slice("bytes 100-199/250", 1)->range, (http::ByteRange{100, 199}));
  EXPECT_EQ(slice("bytes 200-249/250", 2)->complete, 250u);
  EXPECT_TRUE(slice("bytes 0-0/1", 0));
  for (const char* other : {"bytes 0-99/250", "bytes 100-198/250", "bytes 101-199/250", "bytes 100-200/250",
                            "bytes 100-199/*", "bytes */250", "lines 100-199/250", ""})
    EXPECT_FALSE(slice(other, 1)) << other;
  EXPECT_FALSE(slice("bytes 200-248/250", 2));
}

TEST_F(SlicesTest, OnlyAStrongValidatorJoinsThem) {
  EXPECT_FALSE(slice("bytes 0-99/250", 0, "W/\"a\""));
  EXPECT_FALSE(slice("bytes 0-99/250", 0, ""));
  EXPECT_TRUE(slice("bytes 0-99/250", 0)->is_of_one_content_with(*slice("bytes 200-249/250", 2)));
  EXPECT_FALSE(slice("bytes 0-99/250", 0)->is_of_one_content_with(*slice("bytes 200-250/251", 2)));
  EXPECT_FALSE(slice("bytes 0-99/250", 0)->is_of_one_content_with(*slice("bytes 200-249/250", 2, "\"b\"")));
}

TEST_F(SlicesTest, WhatIsWantedFirstIsKnownButForTheLastOctets) {
  EXPECT_EQ(first_octet_wanted(""), 0u);
  EXPECT_EQ(first_octet_wanted("bytes=70-"), 70u);
  EXPECT_EQ(first_octet_wanted("bytes=70-80"), 70u);
  EXPECT_EQ(first_octet_wanted("bytes=-80"), 0u);
  EXPECT_EQ(first_octet_wanted("lines=70-"), 0u);
  EXPECT_EQ(first_octet_wanted("bytes=0-9, 5-19"), std::nullopt);
  EXPECT_EQ(first_octet_wanted("bytes=0-9, 1000-"), std::nullopt);
  EXPECT_EQ(first_octet_wanted("bytes=18446744073709551614-"), 0u);
}

TEST_F(SlicesTest, KeysDifferByTheNumberAlone) {
  EXPECT_EQ(range_of_slice(2, 100), "bytes=200-299");
  const std::string key = "http://a/\n@" + std::string(slice_partition("u", 9, 100, arena));
  EXPECT_EQ(key_of_another_slice(key, 9, 10), "http://a/\n@" + std::string(slice_partition("u", 10, 100, arena)));
  EXPECT_EQ(key_of_another_slice(key, 8, 10), "");
  EXPECT_EQ(key_of_another_slice(key + "\naccept:text", 9, 10), "");
}

}   // namespace
}   // namespace proxyd::caching
