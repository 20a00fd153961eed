#include "worker/http2/header_decoder.h"

#include <gtest/gtest.h>

#include "tests/support/http2/peer.h"
#include "worker/http/list.h"
#include "worker/http2/field_encoder.h"
#include "worker/http2/huffman.h"

namespace proxyd::http2 {
namespace {

using http::FieldName;
using http::Refusal;

class HeaderDecoding : public testing::Test {
 protected:
  std::string decode(std::string_view octets) {
    std::string text;
    decoder.begin(octets);
    for (;;) {
      switch (decoder.next()) {
        case HeaderDecoder::Found::kEnd: return text;
        case HeaderDecoder::Found::kMalformed: return text + "malformed";
        case HeaderDecoder::Found::kField:
          text += std::string(decoder.field().name) + ": " + std::string(decoder.field().value) + "|";
      }
    }
  }
  std::string decode_hex(std::string_view hex) { return decode(octets::from_hex(hex)); }

  CountedMemory memory;
  HeaderDecoder decoder{memory};
};

// RFC 7541 C.3.
TEST_F(HeaderDecoding, TakesTheRequestsOfTheStandard) {
  EXPECT_EQ(decode_hex("828684410f7777772e6578616d706c652e636f6d"),
            ":method: GET|:scheme: http|:path: /|:authority: www.example.com|");
  EXPECT_EQ(decoder.table_octets(), 57u);
  EXPECT_EQ(decode_hex("828684be58086e6f2d6361636865"),
            ":method: GET|:scheme: http|:path: /|:authority: www.example.com|cache-control: no-cache|");
  EXPECT_EQ(decode_hex("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565"),
            ":method: GET|:scheme: https|:path: /index.html|:authority: www.example.com|custom-key: custom-value|");
  EXPECT_EQ(decoder.table_octets(), 164u);
}

// RFC 7541 C.6: Huffman, and a table of 256 octets.
TEST_F(HeaderDecoding, LetsFieldsLeaveATableThatIsFull) {
  decoder.set_limit(256);
  const std::string dates =
      "cache-control: private|date: Mon, 21 Oct 2013 20:13:21 GMT|location: "
      "https://www.example.com|";
  EXPECT_EQ(decode_hex("3fe101488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c7"
                       "8f0b97c8e9ae82ae43d3"),
            ":status: 302|" + dates);
  EXPECT_EQ(decoder.table_octets(), 222u);
  EXPECT_EQ(decode_hex("4883640effc1c0bf"), ":status: 307|" + dates);
  EXPECT_EQ(decoder.table_octets(), 222u);
  EXPECT_EQ(decode_hex("88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5"
                       "b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007"),
            ":status: 200|cache-control: private|date: Mon, 21 Oct 2013 20:13:22 GMT|location: "
            "https://www.example.com|content-encoding: gzip|set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; "
            "max-age=3600; version=1|");
  EXPECT_EQ(decoder.table_octets(), 215u);
}

TEST_F(HeaderDecoding, RefusesWhatTheStandardForbids) {
  EXPECT_EQ(decode(std::string(1, '\x80')), "malformed");    // index 0
  EXPECT_EQ(decode_hex("be"), "malformed");                  // not in the table
  EXPECT_EQ(decode_hex("ffffffffffff7f"), "malformed");      // a number without end
  EXPECT_EQ(decode_hex("8220"), ":method: GET|malformed");   // a size within the block
  EXPECT_EQ(decode_hex("3fe21f"), "malformed");              // above the limit, 4096
  EXPECT_EQ(decode_hex("0001"), "malformed");                // ends within a text
  EXPECT_EQ(decode_hex("00017884ffffffff"), "malformed");    // EOS
  EXPECT_EQ(decode_hex("0001788100"), "malformed");          // padding that is not ones
  EXPECT_EQ(decode_hex("00017882ffff"), "malformed");        // more than seven bits of it
}

TEST_F(HeaderDecoding, WantsASmallerTableToBeSaid) {
  decode_hex("400178017940017a0177");
  EXPECT_EQ(decoder.table_octets(), 68u);
  decoder.set_limit(40);
  EXPECT_EQ(decode_hex("82"), "malformed");
  decoder.set_limit(40);
  EXPECT_EQ(decode_hex("3f0982be"), ":method: GET|z: w|");
  EXPECT_EQ(decoder.table_octets(), 34u);
  EXPECT_EQ(decode_hex("bf"), "malformed");
}

TEST_F(HeaderDecoding, KeepsTheNameOfAFieldThatEmptiesTheTable) {
  decoder.set_limit(64);
  decode_hex("3f21400178017a");
  const std::string value(100, 'v');
  EXPECT_EQ(decode(std::string("\x7e") + octets::integer(0, 7, value.size()) + value), "x: " + value + "|");
  EXPECT_EQ(decoder.table_octets(), 0u);
}

TEST_F(HeaderDecoding, ANameMayBeOfTheFieldThatHasToLeaveForIt) {
  decoder.set_limit(40);
  decode_hex("3f09400178017a");
  EXPECT_EQ(decode_hex("7e0179"), "x: y|");
  EXPECT_EQ(decode_hex("be"), "x: y|");
}

TEST_F(HeaderDecoding, SaysOnceWhatIsWrongWithAField) {
  decode_hex("4001580179");   // X: y
  decoder.begin("\xbe");
  ASSERT_EQ(decoder.next(), HeaderDecoder::Found::kField);
  EXPECT_EQ(decoder.field().is.refusal, Refusal::kNameCase);
}

// What we write reads back as it was, whatever its size.
TEST_F(HeaderDecoding, ReadsWhatTheEncoderWrites) {
  http::Arena arena;
  http::Fields fields(arena);
  std::string expected;
  for (const size_t size : {0u, 1u, 126u, 127u, 128u, 254u, 255u, 300u, 5000u}) {
    const std::string_view value = arena.copy(std::string(size, 'v'));
    const std::string_view name = arena.copy("X-" + std::string(std::min<size_t>(size, 600), 'n'));
    fields.add(name, value);
    fields.add(FieldName::kEtag, value);
    fields.add(FieldName::kSetCookie, value);
    fields.add(FieldName::kXRequestId, value);
    std::string lower(name);
    lower[0] = 'x';
    for (const std::string& written :
         {lower, std::string("etag"), std::string("set-cookie"), std::string("x-request-id")}) {
      expected += written + ": " + std::string(value) + "|";
    }
  }
  FieldEncoder encoder(arena, FieldEncoder::size_of(fields), 0);
  encoder.add(fields);
  EXPECT_EQ(decode(encoder.block()), expected);
  EXPECT_EQ(decoder.table_octets(), 0u);
}

TEST_F(HeaderDecoding, LinesAreEncodedWhateverTheyLookLike) {
  http::Arena arena;
  const std::string lines =
      "A: b\r\nETag:\"x\"\r\nx-long-name-of-a-field: c \t\r\nDate:   d\r\nConnection: close\r\nno line\r\nB:\r\nC: "
      "e\nVia: f";
  FieldEncoder encoder(arena, lines.size(), 0);
  encoder.add_lines(lines);
  EXPECT_EQ(decode(encoder.block()), "a: b|etag: \"x\"|x-long-name-of-a-field: c|date: d|b: |c: e|");
}

TEST_F(HeaderDecoding, EncodedLinesHaveRoomWhateverTheirForm) {
  for (const std::string& line :
       {std::string("a:\n"), std::string("ab: c\r\n"), std::string(200, 'n') + ":" + std::string(300, 'v') + "\n"}) {
    std::string lines;
    std::string expected;
    const std::string name = line.substr(0, line.find(':'));
    const std::string value(
        http::trim(std::string_view(line).substr(name.size() + 1, line.find_first_of("\r\n") - name.size() - 1)));
    for (int i = 0; i < 300; ++i) {
      lines += line;
      expected += name + ": " + value + "|";
    }
    std::vector<char> exact(lines.begin(), lines.end());   // so that reading beyond it is seen
    http::Arena arena;
    FieldEncoder encoder(arena, exact.size(), 0);
    encoder.add_lines({exact.data(), exact.size()});
    EXPECT_EQ(decode(encoder.block()), expected);
  }
}

TEST(Huffman, DecodesEveryOctet) {
  std::array<char, 16> to;
  EXPECT_EQ(decode_huffman(octets::from_hex("f1e3c2e5f23a6ba0ab90f4ff"), to.data()), 15u);
  EXPECT_EQ(std::string_view(to.data(), 15), "www.example.com");
  EXPECT_EQ(decode_huffman(octets::from_hex("ffc7"), to.data()), 1u);   // NUL
  EXPECT_EQ(to[0], '\0');
  EXPECT_EQ(decode_huffman("", to.data()), 0u);
}

}   // namespace
}   // namespace proxyd::http2
