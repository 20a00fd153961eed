#include "worker/http2/session.h"

#include <gtest/gtest.h>

#include "tests/support/http2/pair.h"

namespace proxyd::http2 {
namespace {

using http::Refusal;

std::string as_text(const http::Fields& fields) {
  std::string text;
  for (const http::Field& field : fields) text += std::string(field.name) + "=" + std::string(field.value) + "|";
  return text;
}

TEST_F(Pair, SayHelloAndAcknowledge) {
  EXPECT_TRUE(client.session->received_preface());
  EXPECT_TRUE(server.session->received_preface());
  EXPECT_FALSE(client.session->awaits_settings_ack());
  EXPECT_FALSE(server.session->awaits_settings_ack());
  EXPECT_EQ(client.session->peer_max_streams(), 100u);
  EXPECT_TRUE(client.session->may_open());
  EXPECT_FALSE(client.session->has_output());
}

TEST_F(Pair, ARequestArrivesAsItWasSent) {
  http::Arena arena;
  http::Fields fields(arena);
  fields.add("Accept", "*/*");
  fields.add("X-Other", "1");
  fields.add("Connection", "close, X-Gone");
  fields.add("TE", "trailers");
  OutgoingRequest request = get();
  request.fields = &fields;
  ASSERT_TRUE(ask(request));
  const auto news = server.news();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].second, News::kHead | News::kEnd);
  const http::RequestHead& head = news[0].first->request();
  EXPECT_EQ(news[0].first->refusal(), Refusal::kNone);
  EXPECT_EQ(head.method, http::Method::kGet);
  EXPECT_EQ(head.version, http::Version::kHttp2);
  EXPECT_EQ(head.target.path, "/p");
  EXPECT_EQ(head.target.query, "q");
  EXPECT_EQ(head.authority.host, "a.test");
  EXPECT_EQ(head.content.kind, http::ContentLength::Kind::kNone);
  EXPECT_EQ(as_text(head.fields), "accept=*/*|x-other=1|te=trailers|host=a.test|");
}

TEST_F(Pair, HeadContentAndEndLeaveInOneProduce) {
  Stream* asked = ask(get());
  Stream* stream = server.only_stream();
  ASSERT_TRUE(stream);
  const std::array<std::string_view, 2> pieces = {"hello ", "world"};
  ASSERT_TRUE(stream->submit_head({.status = 200, .content = {http::ContentLength::Kind::kKnown, 11}}, false));
  stream->offer(pieces, true);
  const auto frames = server.frames();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[1].payload, "hello world");
  EXPECT_EQ(frames[1].flags, octets::kEndStream);
  EXPECT_EQ(stream->taken().octets, 11u);
  EXPECT_TRUE(stream->taken().ended);
  EXPECT_TRUE(stream->is_closed());
  client.receive(server.said);
  stream->release();
  EXPECT_EQ(server.session->open_streams(), 0u);
  ASSERT_EQ(client.only_stream(), asked);
  EXPECT_EQ(asked->response().status, 200);
  EXPECT_EQ(asked->response().content.bytes, 11u);
  EXPECT_EQ(all_content(*asked), "hello world");
  EXPECT_TRUE(asked->received_all());
  EXPECT_TRUE(asked->is_closed());
}

TEST_F(Pair, WhatOneCountsAsSentTheOtherCountsAsReceived) {
  ask(get());
  Stream* stream = server.only_stream();
  http::Arena arena;
  http::Fields fields(arena);
  fields.add("X-Field", "value");
  const std::array<std::string_view, 1> lines = {"Age: 1\r\nVia: 1.1 a\r\n"};
  const std::array<std::string_view, 1> pieces = {"content"};
  ASSERT_TRUE(stream->submit_head({.status = 200, .lines = lines, .fields = &fields}, false));
  stream->offer(pieces, true);
  client.receive(server.produce());
  const Counters& sent = server.words.counters;
  const Counters& received = client.words.counters;
  for (size_t type = 0; type < kFrameTypeCount; ++type) {
    EXPECT_EQ(sent.frames_sent[type].value(), received.frames_received[type].value()) << type;
    EXPECT_EQ(sent.octets_sent[type].value(), received.octets_received[type].value()) << type;
  }
  EXPECT_EQ(sent.octets_sent[static_cast<size_t>(FrameType::kData)].value(), 7u);
}

TEST_F(Pair, ReadyLinesBecomeFields) {
  Stream* asked = ask(get());
  Stream* stream = server.only_stream();
  const std::array<std::string_view, 2> lines = {"Content-Type: text/plain\r\nX-A:  b \r\n", "Connection: close\r\n"};
  http::Arena arena;
  http::Fields fields(arena);
  fields.add("Via", "1.1 proxyd");
  fields.add("Transfer-Encoding", "chunked");
  fields.add("X-Bad", "a\r\nb");
  fields.add("Bad Name", "a");
  ASSERT_TRUE(stream->submit_head({.status = 404, .lines = lines, .fields = &fields}, true));
  fields.clear();   // texts were copied
  talk(server, client);
  client.news();
  EXPECT_EQ(as_text(asked->response().fields), "content-type=text/plain|x-a=b|via=1.1 proxyd|");
  EXPECT_EQ(asked->response().status, 404);
  EXPECT_TRUE(asked->received_all());
}

TEST_F(Pair, InterimHeadsComeBeforeTheFinalOne) {
  Stream* asked = ask(get());
  Stream* stream = server.only_stream();
  http::Arena arena;
  http::Fields hints(arena);
  hints.add("Link", "</a>");
  stream->submit_interim(100, nullptr);
  stream->submit_interim(103, &hints);
  stream->submit_head({.status = 200}, true);
  talk(server, client);
  const auto news = client.news();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].second, News::kInterim | News::kHead | News::kEnd | News::kClosed);
  const http::ResponseHead* first = asked->next_interim();
  const http::ResponseHead* second = asked->next_interim();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->status, 100);
  EXPECT_EQ(second->status, 103);
  EXPECT_EQ(as_text(second->fields), "link=</a>|");
  EXPECT_FALSE(asked->next_interim());
  EXPECT_EQ(asked->response().status, 200);
}

TEST_F(Pair, TrailersPassBothWays) {
  OutgoingRequest request = get();
  request.method = "POST";
  Stream* asked = ask(request, false);
  Stream* stream = server.only_stream();
  EXPECT_EQ(stream->request().content.kind, http::ContentLength::Kind::kUnknown);
  http::Arena arena;
  http::Fields trailers(arena);
  trailers.add("Grpc-Status", "0");
  const std::array<std::string_view, 1> pieces = {"abc"};
  asked->offer(pieces, false);
  client.receive("");
  talk(client, server);
  EXPECT_EQ(asked->taken().octets, 3u);
  asked->finish(&trailers);
  talk(client, server);
  EXPECT_EQ(all_content(*stream), "abc");
  ASSERT_TRUE(stream->trailers());
  EXPECT_EQ(as_text(*stream->trailers()), "grpc-status=0|");
  EXPECT_TRUE(stream->received_all());
  stream->submit_head({.status = 200}, false);
  talk(server, client);
  stream->finish(&trailers);
  talk(server, client);
  ASSERT_TRUE(asked->trailers());
  EXPECT_EQ(as_text(*asked->trailers()), "grpc-status=0|");
  EXPECT_TRUE(asked->is_closed());
  EXPECT_TRUE(stream->is_closed());
}

TEST_F(Pair, TrailersOfARequestWithoutContentComeBehindItsHead) {
  OutgoingRequest request = get();
  request.method = "POST";
  Stream* asked = client.session->open(request, false);
  {
    http::Arena arena;
    http::Fields trailers(arena);
    trailers.add("X-End", "1");
    asked->finish(&trailers);   // nothing has been sent yet, and texts were copied
  }
  talk(client, server);
  Stream* stream = server.only_stream();
  ASSERT_TRUE(stream && stream->trailers());
  EXPECT_EQ(as_text(*stream->trailers()), "x-end=1|");
  EXPECT_TRUE(stream->received_all() && asked->sent_all());
  EXPECT_FALSE(client.session->has_output());
}

TEST_F(Pair, AnEndWithoutTrailersIsAnEmptyFrame) {
  Stream* asked = ask(get());
  Stream* stream = server.only_stream();
  stream->submit_head({.status = 200}, false);
  talk(server, client);
  EXPECT_FALSE(asked->received_all());
  stream->finish(nullptr);
  talk(server, client);
  EXPECT_TRUE(asked->received_all());
  EXPECT_TRUE(stream->is_closed());
}

TEST_F(Pair, NoMoreStreamsAreOpenedThanThePeerTakes) {
  std::vector<Stream*> streams;
  while (client.session->may_open()) streams.push_back(client.session->open(get(), true));
  EXPECT_EQ(streams.size(), 100u);
  EXPECT_EQ(client.session->open(get(), true), nullptr);
  talk(client, server);
  EXPECT_EQ(server.news().size(), 100u);
  streams.front()->release();
  EXPECT_TRUE(client.session->may_open());
}

TEST_F(Pair, ARequestWaitsForThePeersLimitAndIsTold) {
  ask(get());
  server.news();
  Stream* waiting =
      client.session->open({.method = "POST", .scheme = "https", .authority = "a.test", .path = "/"}, false);
  ASSERT_TRUE(waiting);
  client.receive(octets::settings(octets::setting(3, 1)));   // one stream at a time from now on
  const std::array<std::string_view, 1> pieces = {"abc"};
  waiting->offer(pieces, true);
  client.produce();
  EXPECT_EQ(waiting->taken().octets, 0u);
  client.receive(octets::reset(1));
  client.produce();
  bool told = false;
  for (const auto& [stream, news] : client.news()) told = told || (stream == waiting && holds(news, News::kRoom));
  EXPECT_TRUE(told);
  waiting->offer(pieces, true);
  client.produce();
  EXPECT_TRUE(waiting->taken().ended);
}

TEST_F(Pair, PriorityComesFromTheFieldAndFromUpdates) {
  http::Arena arena;
  http::Fields fields(arena);
  fields.add("Priority", "u=1, i");
  OutgoingRequest request = get();
  request.fields = &fields;
  ask(request);
  Stream* stream = server.only_stream();
  EXPECT_EQ(stream->priority(), (Priority{1, true}));
  server.receive(octets::frame(0x10, 0, 0, octets::number(1, 4) + "u=6"), 1);
  EXPECT_EQ(stream->priority(), (Priority{6, false}));
  server.receive(octets::frame(0x10, 0, 0, octets::number(3, 4) + "u=5"));   // before its request
  server.receive(octets::frame(0x10, 0, 0, octets::number(3, 4) + "u=0"));   // the last one counts
  ask(request);
  EXPECT_EQ(server.only_stream()->priority(), (Priority{0, false}));
}

TEST_F(Pair, AnUpdateThatComesTogetherWithItsRequestCounts_rfc9218_7_1) {
  const std::string request = octets::frame(1, 5, 1, octets::block(octets::get()));
  server.receive(octets::frame(0x10, 0, 0, octets::number(1, 4) + "u=0") + request);
  EXPECT_EQ(server.only_stream()->priority(), (Priority{0, false}));
}

}   // namespace
}   // namespace proxyd::http2
