#include "shared/base/bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace proxyd {
namespace {

TEST(Letters, AreComparedWithoutCaseInAsciiOnly) {
  EXPECT_TRUE(equals_ignoring_case("Content-Length", "cONTENT-lENGTH"));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));         // 0x20 apart, and no letters
  EXPECT_FALSE(equals_ignoring_case("\xC4", "\xE4"));   // Ä and ä in ISO 8859-1
  EXPECT_EQ(hex_value('f'), 15);
  EXPECT_EQ(hex_value('F'), 15);
  EXPECT_EQ(hex_value('g'), -1);
}

TEST(PutOctets, CopiesEveryLengthAndWritesNothingBehindIt) {
  const std::string text = "0123456789abcdefghijklmnopqrstuvwxyz";
  for (size_t size = 0; size <= text.size(); ++size) {
    std::vector<char> room(size + 1, '#');
    EXPECT_EQ(put_octets(room.data(), std::string_view(text).substr(0, size)), room.data() + size);
    EXPECT_EQ(std::string(room.data(), size), text.substr(0, size));
    EXPECT_EQ(room[size], '#');
  }
}

TEST(Encodings, AreThoseOfTheirStandards) {
  const std::array<uint8_t, 4> bytes = {0x00, 0xFB, 0xFF, 0x0A};
  EXPECT_EQ(to_hex(bytes), "00fbff0a");
  EXPECT_EQ(to_base64url({}), "");
  EXPECT_EQ(to_base64url(std::span(bytes).first(1)), "AA");
  EXPECT_EQ(to_base64url(std::span(bytes).first(2)), "APs");
  EXPECT_EQ(to_base64url(std::span(bytes).first(3)), "APv_");
  EXPECT_EQ(to_base64url(bytes), "APv_Cg");
}

TEST(Bytes, AreReadBackFromBase64urlAndFromNothingElse) {
  std::string octets;
  for (int length = 0; length < 300; ++length) {
    const std::span bytes(reinterpret_cast<const uint8_t*>(octets.data()), octets.size());
    EXPECT_EQ(from_base64url(to_base64url(bytes)), octets) << length;
    octets += static_cast<char>(length * 7);
  }
  for (const char* text : {"A", "AB=", "A+", "A/", "AB C", "AB", "AAAAA"}) EXPECT_FALSE(from_base64url(text)) << text;
}

TEST(Utf8, IsWhatRfc3629Allows) {
  for (const char* good : {"", "a", "\xC2\x80", "\xE2\x82\xAC", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* wrong : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                            "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xC2", "\xE2\x82",
                            "\xC2"
                            "a",
                            "\xFF"})
    EXPECT_FALSE(is_utf8(wrong)) << to_hex({reinterpret_cast<const uint8_t*>(wrong), std::strlen(wrong)});
}

TEST(Secrets, AreEqualOnlyWhenEveryOctetIs) {
  EXPECT_TRUE(equals_in_constant_time("secret", "secret"));
  EXPECT_FALSE(equals_in_constant_time("secret", "secreT"));
  EXPECT_FALSE(equals_in_constant_time("Secret", "secret"));
  EXPECT_FALSE(equals_in_constant_time("secret", "secrets"));
}

}   // namespace
}   // namespace proxyd
