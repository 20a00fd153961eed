#include <gtest/gtest.h>

#include "tests/support/http2/peer.h"

namespace proxyd::http2 {
namespace {

using http::Refusal;

// A client of ours before a server whose frames are written by hand.
class ClientSession : public testing::Test {
 protected:
  ClientSession() { client.receive(octets::settings()); }

  Stream* ask(std::string_view method = "GET", bool end = true) {
    Stream* stream =
        client.session->open({.method = method, .scheme = "http", .authority = "a.test", .path = "/"}, end);
    client.produce();
    return stream;
  }
  static std::string head(uint32_t stream, const octets::Fields& fields = {{":status", "200"}}, bool end = false) {
    return octets::headers(stream, fields, end ? octets::kEndHeaders | octets::kEndStream : octets::kEndHeaders);
  }
  // GOAWAY, and what the last stream is that it has seen.
  static std::string goaway(uint32_t last, uint32_t code = 0) {
    return octets::frame(7, 0, 0, octets::number(last, 4) + octets::number(code, 4));
  }
  bool said_reset(uint32_t stream, ErrorCode code) {
    for (const octets::Frame& frame : client.frames()) {
      if (frame.type == 3 && frame.stream == stream && frame.word() == static_cast<uint32_t>(code)) return true;
    }
    return false;
  }

  Peer client{Role::kClient};
};

TEST_F(ClientSession, ContentBeforeAnyHeadEndsTheConnectionAndIsKnownByItsStream) {
  Stream* stream = ask();
  ask();
  client.receive(octets::data(1, "abc") + head(3));
  client.produce();
  EXPECT_EQ(client.session->fault(), Fault::kProtocol);
  EXPECT_EQ(client.session->fault_stream(), 1);
  EXPECT_TRUE(stream->is_reset());
  EXPECT_EQ(stream->content(), "");
}

TEST_F(ClientSession, ContentBehindTheEndOfAnAnswerIsAFaultOfThatStream_rfc9113_5_1) {
  ask("POST", false);
  Stream* whole = ask("POST", false);
  client.receive(head(1) + head(3) + octets::data(3, "whole", true) + octets::data(3, "more"));
  client.produce();
  EXPECT_EQ(client.session->fault(), Fault::kStreamClosed);
  EXPECT_EQ(client.session->fault_stream(), 3);
  EXPECT_EQ(all_content(*whole), "whole");
}

TEST_F(ClientSession, ContentBehindAnInterimHeadAloneIsMalformed) {
  Stream* stream = ask();
  Stream* empty = ask();
  ASSERT_TRUE(client.receive(head(1, {{":status", "103"}}) + octets::data(1, "abc") + head(3, {{":status", "100"}}) +
                             octets::data(3, "", true)));
  EXPECT_EQ(stream->refusal(), Refusal::kPseudoMissing);
  EXPECT_EQ(stream->content(), "");
  EXPECT_EQ(empty->refusal(), Refusal::kPseudoMissing);
  EXPECT_TRUE(said_reset(1, ErrorCode::kProtocolError));
}

TEST_F(ClientSession, AWholeResponseOutlivesTheResetBehindIt) {
  for (const ErrorCode code : {ErrorCode::kNoError, ErrorCode::kCancel}) {
    Stream* stream = ask("POST", false);
    const auto id = static_cast<uint32_t>(stream->id());
    ASSERT_TRUE(
        client.receive(head(id) + octets::data(id, "whole", true) + octets::reset(id, static_cast<uint32_t>(code))));
    const auto news = client.news();
    ASSERT_EQ(news.size(), 1u);
    EXPECT_TRUE(holds(news[0].second, News::kContent));
    EXPECT_TRUE(stream->received_all());
    EXPECT_EQ(all_content(*stream), "whole");
    const std::array<std::string_view, 1> pieces = {"late"};
    stream->offer(pieces, true);
    EXPECT_EQ(stream->taken().stop, Taken::Stop::kGone);
    stream->release();
  }
}

TEST_F(ClientSession, AWholeResponseOutlivesTheConnection) {
  Stream* whole = ask();
  Stream* part = ask();
  client.receive(head(1) + octets::data(1, "whole", true) + head(3) + octets::data(3, "part"));
  client.session->fail(Fault::kSettingsTimeout);
  EXPECT_EQ(all_content(*whole), "whole");
  EXPECT_TRUE(part->is_reset());
  EXPECT_EQ(part->content(), "");
}

TEST_F(ClientSession, ARefusedRequestIsUnsentUnlessItHasBeenAnswered) {
  ask();
  ask();
  ask();
  client.receive(head(3) + head(5, {{":status", "103"}}));
  client.news();
  client.receive(octets::reset(1, 7) + octets::reset(3, 7) + octets::reset(5, 7));
  const auto news = client.news();
  ASSERT_EQ(news.size(), 3u);
  EXPECT_TRUE(holds(news[0].second, News::kUnsent));
  EXPECT_FALSE(holds(news[1].second, News::kUnsent));
  EXPECT_FALSE(holds(news[2].second, News::kUnsent));
}

TEST_F(ClientSession, RequestsAboveTheLastOneOfGoawayAreUnsentAndTheOthersGoOn) {
  Stream* kept = ask();
  Stream* lost = ask();
  Stream* queued = client.session->open({.method = "GET", .scheme = "http", .authority = "a.test", .path = "/"}, true);
  client.receive(goaway(1));
  client.produce();
  for (const auto& [stream, news] : client.news()) {
    EXPECT_NE(stream, kept);
    EXPECT_TRUE(holds(news, News::kUnsent)) << stream->id();
  }
  EXPECT_TRUE(lost->is_reset() && queued->is_reset());
  EXPECT_FALSE(client.session->may_open());
  EXPECT_TRUE(client.receive(head(1, {{":status", "200"}}, true)));
  EXPECT_TRUE(kept->received_all());
}

TEST_F(ClientSession, NoFrameIsLargerThanWhatEveryPeerTakes) {
  client.receive(octets::settings(octets::setting(5, 1 << 20) + octets::setting(4, 1 << 20)) +
                 octets::window_update(0, 1 << 20));
  http::Arena arena;
  http::Fields fields(arena);
  const std::string value(6'800, 'v');
  fields.add("X-Large", value);
  std::string heads;
  for (const size_t size : {100u, 7'000u, 9'700u, 12'000u, 17'000u}) {
    const std::string path = "/" + std::string(size, '~');   // long in Huffman's code
    Stream* stream = client.session->open(
        {.method = "POST", .scheme = "http", .authority = "a.test", .path = path, .fields = &fields}, false);
    ASSERT_TRUE(stream);
    const std::string content(100'000, 'c');
    const std::array<std::string_view, 1> pieces = {content};
    stream->offer(pieces, true);
    for (const octets::Frame& frame : client.frames(256 * 1024)) {
      EXPECT_LE(frame.payload.size(), 16'384u);
      if (frame.type == 1 || frame.type == 9)
        heads += octets::frame(frame.type, frame.flags, frame.stream, frame.payload);
    }
    EXPECT_TRUE(stream->taken().ended);
  }
  Peer server(Role::kServer, {.max_header_list = 64 * 1024, .max_target = 32 * 1024});
  EXPECT_TRUE(server.receive(octets::hello() + heads));
  const auto news = server.news();
  EXPECT_EQ(news.size(), 5u);
  for (const auto& [stream, what] : news) EXPECT_EQ(stream->request().fields.value(http::FieldName::kOther), value);
}

TEST_F(ClientSession, ARequestForNobodyHasNoAuthority) {
  Stream* stream = client.session->open({.method = "GET", .scheme = "http", .authority = "", .path = "/"}, true);
  ASSERT_TRUE(stream);
  for (const octets::Frame& frame : client.frames()) {
    const size_t expected = frame.type == 1 ? 3 : frame.payload.size();   // three fields of the static table
    EXPECT_EQ(frame.payload.size(), expected);
  }
}

TEST_F(ClientSession, APushEndsTheConnection) {
  Stream* stream = ask();
  EXPECT_FALSE(client.receive(octets::frame(5, 4, 1, octets::number(2, 4) + octets::block(octets::get()))));
  EXPECT_EQ(client.session->fault(), Fault::kPush);
  EXPECT_TRUE(stream->is_reset());
  const auto frames = client.frames();
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(frames.back().type, 7);
  EXPECT_EQ(frames.back().word(4), 1u);
}

TEST_F(ClientSession, SettingsForbidPush) {
  Peer fresh(Role::kClient);
  bool forbidden = false;
  for (const octets::Frame& frame : fresh.frames()) {
    for (size_t at = 0; frame.type == 4 && at < frame.payload.size(); at += 6)
      forbidden = forbidden || (frame.payload[at + 1] == 2 && frame.word(at + 2) == 0);
  }
  EXPECT_TRUE(forbidden);
}

TEST_F(ClientSession, APingIsSaidAndItsAnswerIsNoNews) {
  client.produce();
  client.session->ping();
  const auto frames = client.frames();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].type, 6);
  EXPECT_TRUE(client.receive(octets::frame(6, 1, 0, frames[0].payload)));
}

TEST_F(ClientSession, InterimHeadsBeyondTheMemoryOfAMessageCostTheStreamAlone) {
  Peer large(Role::kClient, {.max_header_list = 128 * 1024});
  large.receive(octets::settings());
  const OutgoingRequest get{.method = "GET", .scheme = "http", .authority = "a.test", .path = "/"};
  Stream* stream = large.session->open(get, true);
  Stream* other = large.session->open(get, true);
  large.produce();
  const std::string value(15'000, 'v');
  octets::Fields fields = {{":status", "103"}};
  for (int i = 0; i < 6; ++i) fields.emplace_back("x-" + std::to_string(i), value);
  const std::string block = octets::block(fields);
  for (int i = 0; i < 8; ++i) {
    std::string head = octets::frame(1, 0, 1, block.substr(0, 16'000));
    for (size_t at = 16'000; at < block.size(); at += 16'000)
      head += octets::frame(9, at + 16'000 < block.size() ? 0 : octets::kEndHeaders, 1, block.substr(at, 16'000));
    ASSERT_TRUE(large.receive(head));
  }
  EXPECT_EQ(stream->refusal(), Refusal::kHeaderSize);
  EXPECT_TRUE(large.receive(head(3, {{":status", "200"}}, true)));
  EXPECT_TRUE(other->received_all());
}

// Fails when it is told to.
class ShortMemory final : public Memory {
 public:
  void* allocate(size_t size) override {
    if (left == 0) throw std::bad_alloc();
    --left;
    return ::operator new(size);
  }
  void release(void* memory, size_t) override { ::operator delete(memory); }
  size_t left = SIZE_MAX;
};

TEST(SessionWithoutMemory, EndsWithAFaultAndThrowsNothing) {
  const std::string large(40'000, 'x');
  std::string head =
      octets::frame(1, 0, 1, octets::field(":status", "200") + octets::field("x", large).substr(0, 9'000));
  head += octets::frame(9, octets::kEndHeaders, 1, octets::field("x", large).substr(9'000, 16'000));
  for (size_t left = 0; left < 30; ++left) {
    ShortMemory memory;
    CountersInMemory words;
    Session session(Role::kClient, {}, memory, words.counters);
    Stream* stream = session.open({.method = "GET", .scheme = "http", .authority = "a.test", .path = "/"}, true);
    ASSERT_TRUE(stream);
    std::string room(20'000, '\0');
    session.produce({room.data(), room.size()});
    memory.left = left;
    const std::string said = octets::settings() + head + octets::headers(1, {{":status", "200"}}, octets::kEndHeaders) +
                             octets::data(1, std::string(16'000, 'c'));
    (void)session.receive(said, 1);
    if (session.fault() == Fault::kNoMemory) {
      EXPECT_TRUE(stream->is_reset());
      EXPECT_FALSE(session.receive("x", 1));
    }
    memory.left = SIZE_MAX;
    stream->release();
  }
}

}   // namespace
}   // namespace proxyd::http2
