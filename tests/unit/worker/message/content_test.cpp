#include <gtest/gtest.h>

#include "tests/unit/worker/message/scripted_stream.h"
#include "worker/message/content_reader.h"
#include "worker/message/content_writer.h"

namespace proxyd::message {
namespace {

using Kind = http::ContentLength::Kind;
using Offered = net::Offer::State;
using Took = net::Taken::State;

class Content : public testing::Test {
 protected:
  // Everything that can be had now, taken in pieces of at most `step`.
  std::string read_all(ContentReader& reader, size_t step) {
    std::string all;
    for (;;) {
      last_ = reader.offer(net::PieceKinds::kBytes);
      if (last_.state != Offered::kPiece) return all;
      const size_t some = std::min<size_t>(step, last_.piece.size);
      all.append(last_.piece.data, some);
      reader.consumed(some);
    }
  }
  void arrive(std::string text) { stream_.incoming.push_back(std::move(text)); }
  void arrive_with_head(std::string text) {
    arrive(std::move(text));
    (void)input_.read(stream_, 4096);
  }

  net::BufferPool pool_;
  net::PipePool pipes_;
  ScriptedStream stream_;
  http::Arena arena_;
  Input input_{pool_};
  net::Offer last_;
};

TEST_F(Content, OfKnownLengthEndsThereAndLeavesTheRest) {
  for (const size_t step : {size_t{1}, size_t{3}, size_t{100}}) {
    ContentReader reader(stream_, input_, pool_, arena_, http1::Underscore::kReject);
    arrive_with_head("hel");
    arrive("lo wor");
    arrive("ldGET /");
    reader.start({Kind::kKnown, 11});
    EXPECT_EQ(read_all(reader, step), "hello world");
    EXPECT_EQ(last_.state, Offered::kEnd);
    EXPECT_TRUE(reader.complete());
    EXPECT_EQ(reader.rest().unread(), "GET /");
    EXPECT_EQ(reader.received(), 11u);
  }
}

TEST_F(Content, InChunksKeepsWhatFollowsAndItsTrailers) {
  for (const size_t step : {size_t{1}, size_t{100}}) {
    ContentReader reader(stream_, input_, pool_, arena_, http1::Underscore::kReject);
    arrive_with_head("5\r\nhe");
    for (const char c : std::string("llo\r\n6;x=y\r\n world\r\n0\r\nX-T: 1\r\n\r")) arrive(std::string(1, c));
    arrive("\nGET /");
    reader.start({Kind::kUnknown});
    EXPECT_EQ(read_all(reader, step), "hello world");
    ASSERT_EQ(last_.state, Offered::kEnd);
    EXPECT_EQ(reader.trailers()->begin()->value, "1");
    EXPECT_EQ(reader.rest().unread(), "GET /");
    input_.consume(input_.unread().size());
    input_.release();
  }
}

TEST_F(Content, ThatIsCutIsNoEnd) {
  ContentReader reader(stream_, input_, pool_, arena_, http1::Underscore::kReject);
  stream_.ends = true;
  for (const Kind kind : {Kind::kKnown, Kind::kUnknown}) {
    arrive("3\r\n");
    reader.start({kind, 100});
    read_all(reader, 100);
    EXPECT_EQ(last_.state, Offered::kFailed);
    EXPECT_EQ(last_.fault, net::ContentFault::kClosed);
    EXPECT_FALSE(reader.complete());
  }
  arrive("all of it");
  reader.start({Kind::kUntilClose});
  EXPECT_EQ(read_all(reader, 100), "all of it");
  EXPECT_EQ(last_.state, Offered::kEnd);
}

TEST_F(Content, ThatIsMalformedIsRefusedFromTheWrongOctetOn) {
  ContentReader reader(stream_, input_, pool_, arena_, http1::Underscore::kReject);
  arrive("3\r\nabcXX0\r\n");
  reader.start({Kind::kUnknown});
  EXPECT_EQ(read_all(reader, 100), "abc");
  EXPECT_EQ(last_.fault, net::ContentFault::kMalformed);
  EXPECT_EQ(reader.refusal(), http::Refusal::kChunkDataCrlf);
  EXPECT_EQ(reader.fault_octets(), "XX0\r\n");
}

TEST_F(Content, InTrailersTreatsUnderscoresAsTheHeadDoes) {
  for (const auto& [rule, expected] : {std::pair{http1::Underscore::kPass, 1u}, {http1::Underscore::kDrop, 0u}}) {
    ContentReader reader(stream_, input_, pool_, arena_, rule);
    arrive("0\r\na_b: 1\r\n\r\n");
    reader.start({Kind::kUnknown});
    read_all(reader, 100);
    EXPECT_EQ(last_.state, Offered::kEnd);
    EXPECT_EQ(reader.trailers() ? reader.trailers()->size() : 0u, expected);
  }
  ContentReader reader(stream_, input_, pool_, arena_, http1::Underscore::kReject);
  arrive("0\r\na_b: 1\r\n\r\n");
  reader.start({Kind::kUnknown});
  read_all(reader, 100);
  EXPECT_EQ(reader.refusal(), http::Refusal::kTrailerSyntax);
}

// Writes `content` in pieces while the stream takes `room` octets a call.
std::string write_all(ScriptedStream& stream, ContentWriter& writer, http::ContentLength length,
                      std::string_view content, size_t piece, size_t room) {
  stream.room = room;
  writer.start(length);
  while (!content.empty()) {
    const std::string_view some = content.substr(0, piece);
    const net::Taken taken = writer.take(net::Piece::bytes(some), some.size() == content.size());
    EXPECT_NE(taken.state, Took::kFailed);
    content.remove_prefix(taken.octets);
  }
  while (!writer.finished() && writer.finish(nullptr).state != Took::kFailed) {
  }
  return std::exchange(stream.written, {});
}

TEST_F(Content, IsWrittenTheSameHoweverLittleTheStreamTakes) {
  for (const size_t room : {size_t{1}, size_t{2}, size_t{5}, size_t{1000}}) {
    ContentWriter writer(stream_, pool_, pipes_);
    EXPECT_EQ(write_all(stream_, writer, {Kind::kKnown, 11}, "hello world", 4, room), "hello world");
    ContentWriter chunked(stream_, pool_, pipes_);
    EXPECT_EQ(write_all(stream_, chunked, {Kind::kUnknown}, "hello world", 8, room),
              "8\r\nhello wo\r\n3\r\nrld\r\n0\r\n\r\n");
    EXPECT_EQ(chunked.content_sent(), 11u);
    EXPECT_EQ(chunked.delivered(), 26u);
  }
}

TEST_F(Content, LongerThanAnnouncedIsNeverWritten) {
  ContentWriter writer(stream_, pool_, pipes_);
  writer.start({Kind::kKnown, 3});
  EXPECT_EQ(writer.take(net::Piece::bytes("abcd"), true).state, Took::kFailed);
  EXPECT_EQ(stream_.written, "");
}

TEST_F(Content, ShorterThanAnnouncedHasNoEnd) {
  ContentWriter writer(stream_, pool_, pipes_);
  writer.start({Kind::kKnown, 3});
  EXPECT_EQ(writer.take(net::Piece::bytes("ab"), false).state, Took::kMore);
  EXPECT_EQ(writer.finish(nullptr).state, Took::kFailed);
}

TEST_F(Content, OfATunnelHandsItsEndOn) {
  ContentWriter writer(stream_, pool_, pipes_);
  writer.start({Kind::kTunnel});
  (void)writer.take(net::Piece::bytes("ab"), false);
  EXPECT_EQ(writer.finish(nullptr).state, Took::kMore);
  EXPECT_TRUE(stream_.ended_writing);
}

TEST_F(Content, AHeadLargerThanTheLargestBufferIsNotWritten) {
  ContentWriter writer(stream_, pool_, pipes_);
  const std::string large(200'000, 'x');
  EXPECT_FALSE(writer.head([&large](http1::Serializer& serializer) { serializer.append(large); }));
  const std::string fits(50'000, 'x');
  EXPECT_TRUE(writer.head([&fits](http1::Serializer& serializer) { serializer.append(fits); }));
  (void)writer.flush();
  EXPECT_EQ(stream_.written, fits);
}

}   // namespace
}   // namespace proxyd::message
