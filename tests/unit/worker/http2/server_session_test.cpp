#include <gtest/gtest.h>

#include "tests/support/http2/peer.h"

namespace proxyd::http2 {
namespace {

using http::Refusal;

TEST(ServerSession, CallsOnClosedStreamsAreHarmless) {
  Peer server(Role::kServer);
  server.receive(octets::hello() + octets::headers(1, octets::post(), octets::kEndHeaders) + octets::data(1, "abc") +
                 octets::reset(1));
  Stream* stream = server.only_stream();
  ASSERT_TRUE(stream);
  EXPECT_TRUE(stream->is_closed());
  EXPECT_EQ(stream->content(), "");
  stream->consume(3);
  stream->reset(ErrorCode::kCancel);
  stream->finish(nullptr);
  stream->submit_interim(100, nullptr);
  stream->release();
  EXPECT_EQ(server.session->open_streams(), 0u);
}

struct OnAClosedStream {
  const char* name;
  std::string before;
  std::string frame;
};

class ClosedStream : public testing::TestWithParam<OnAClosedStream> {};

TEST_P(ClosedStream, TakesNoFurtherFrameOnceItsClientEndedIt) {
  Peer server(Role::kServer);
  ASSERT_TRUE(server.receive(octets::hello() + GetParam().before));
  if (Stream* stream = server.only_stream(); stream && !stream->is_reset()) stream->submit_head({.status = 204}, true);
  server.frames();
  EXPECT_TRUE(server.receive(octets::window_update(1, 2000) + octets::reset(1)));   // may cross the end
  EXPECT_FALSE(server.receive(GetParam().frame));
  EXPECT_EQ(server.session->fault(), Fault::kStreamClosed);
}

const std::string kCancelled = octets::headers(1, octets::post(), octets::kEndHeaders) + octets::reset(1);
INSTANTIATE_TEST_SUITE_P(
    All, ClosedStream,
    testing::Values(OnAClosedStream{"DataAfterReset", kCancelled, octets::data(1, "a")},
                    OnAClosedStream{"HeadersAfterReset", kCancelled, octets::headers(1, octets::get())},
                    OnAClosedStream{"DataAfterTheEnd", octets::headers(1, octets::get()), octets::data(1, "a", true)},
                    OnAClosedStream{"HeadersAfterTheEnd", octets::headers(1, octets::get()),
                                    octets::headers(1, octets::get())},
                    OnAClosedStream{"DataOnOneLeftOut", octets::headers(5, octets::get()), octets::data(1, "a")}),
    [](const auto& about) { return about.param.name; });

TEST(ServerSession, WhatIsOnItsWayToAStreamThatWeEndedIsNoFault) {
  Peer server(Role::kServer);
  ASSERT_TRUE(server.receive(octets::hello()));
  for (uint32_t id = 1; id < 101; id += 2) {
    ASSERT_TRUE(server.receive(octets::headers(id, octets::post(), octets::kEndHeaders)));
    Stream* stream = server.only_stream();
    ASSERT_TRUE(stream);
    stream->reset(ErrorCode::kCancel);
    server.frames();
    stream->release();
  }
  for (uint32_t id = 1; id < 101; id += 2) {   // also those that were forgotten
    EXPECT_TRUE(server.receive(octets::data(id, "late") + octets::headers(id, {{"x-end", "1"}})));
  }
}

TEST(ServerSession, AStreamThatDependsOnItselfIsAnErrorRfc7540_5_3_1) {
  const std::string itself = octets::number(1, 4) + "\x10";
  for (const std::string& frame :
       {octets::frame(2, 0, 1, itself), octets::frame(1, 0x25, 1, itself + octets::block(octets::get()))}) {
    Peer server(Role::kServer);
    EXPECT_FALSE(server.receive(octets::hello() + frame));
    EXPECT_EQ(server.session->fault(), Fault::kProtocol);
  }
}

TEST(ServerSession, AStreamThatWasResetCountsUntilItIsReleased) {
  Settings settings;
  settings.max_streams = 2;
  Peer server(Role::kServer, settings);
  server.receive(octets::hello() + octets::headers(1, octets::get()) + octets::reset(1) +
                 octets::headers(3, octets::get()) + octets::headers(5, octets::get()));
  const auto news = server.news();
  EXPECT_EQ(news.size(), 2u);
  EXPECT_EQ(server.session->open_streams(), 2u);
  bool refused = false;
  for (const octets::Frame& frame : server.frames()) {
    refused = refused || (frame.type == 3 && frame.stream == 5 && frame.word() == 7);
  }
  EXPECT_TRUE(refused);
  news[0].first->release();
  server.receive(octets::headers(7, octets::get()));
  EXPECT_EQ(server.news().size(), 1u);
}

TEST(ServerSession, TheLimitOfStreamsIsSaidAsItIs) {
  Peer server(Role::kServer);
  server.receive(octets::hello());
  const octets::Frame settings = server.frames().at(0);
  ASSERT_EQ(settings.type, 4);
  uint32_t limit = 0;
  for (size_t at = 0; at < settings.payload.size(); at += 6) {
    if (settings.payload[at + 1] == 3) limit = settings.word(at + 2);
  }
  EXPECT_EQ(limit, 100u);
}

TEST(ServerSession, AnExtendedConnectIsATunnelWhereItIsAllowed) {
  Settings settings;
  settings.extended_connect = true;
  settings.https = true;
  Peer server(Role::kServer, settings);
  Peer client(Role::kClient);
  talk(client, server);
  EXPECT_TRUE(client.session->peer_takes_extended_connect());
  Stream* asked = client.session->open(
      {.method = "CONNECT", .scheme = "https", .authority = "a.test", .path = "/chat", .protocol = "websocket"}, false);
  talk(client, server);
  Stream* stream = server.only_stream();
  ASSERT_TRUE(stream);
  EXPECT_EQ(stream->refusal(), Refusal::kNone);
  EXPECT_TRUE(stream->request().wants_websocket);
  EXPECT_EQ(stream->request().content.kind, http::ContentLength::Kind::kTunnel);
  stream->submit_head({.status = 200}, false);
  talk(server, client);
  client.news();
  EXPECT_EQ(asked->response().content.kind, http::ContentLength::Kind::kTunnel);
}

}   // namespace
}   // namespace proxyd::http2
