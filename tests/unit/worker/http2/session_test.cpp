#include "worker/http2/session.h"

#include <gtest/gtest.h>

#include "tests/support/http2/peer.h"

namespace proxyd::http2 {
namespace {

using http::FieldName;
using http::Refusal;

std::string as_text(const http::Fields& fields) {
  std::string text;
  for (const http::Field& field : fields) text += std::string(field.name) + "=" + std::string(field.value) + "|";
  return text;
}

// A client and a server of ours that have said hello.
class Pair : public testing::Test {
 protected:
  Pair() { talk(client, server); }

  Stream* ask(const OutgoingRequest& request, bool end = true) {
    Stream* stream = client.session->open(request, end);
    talk(client, server);
    return stream;
  }
  static OutgoingRequest get() { return {.method = "GET", .scheme = "https", .authority = "a.test", .path = "/p?q"}; }

  // The whole of a content, against whatever windows.
  static std::string send(Peer& from, Peer& to, Stream& stream, std::string_view content, Stream& at) {
    std::string arrived;
    std::string buffer(20000, '\0');
    for (;;) {
      const std::array<std::string_view, 1> pieces = {content};
      stream.offer(pieces, true);
      const size_t size = from.session->produce({buffer.data(), buffer.size()});
      content.remove_prefix(stream.taken().octets);
      EXPECT_TRUE(to.receive({buffer.data(), size}));
      arrived += all_content(at);
      if (stream.taken().ended) return arrived;
      talk(from, to);
    }
  }

  Peer client{Role::kClient};
  Peer server{Role::kServer};
};

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

TEST_F(Pair, LargeContentPassesThroughWindowsAndRoom) {
  Stream* asked = ask(get());
  Stream* stream = server.only_stream();
  std::string content;
  for (int i = 0; i < 500'000; ++i) content += static_cast<char>('a' + i % 23);
  stream->submit_head({.status = 200}, false);
  EXPECT_EQ(send(server, client, *stream, content, *asked), content);
  EXPECT_TRUE(asked->received_all());
  EXPECT_LT(client.memory.most, 300'000u);
}

TEST_F(Pair, AStalledReaderStopsTheSenderAndGetsOn) {
  Stream* asked = ask(get());
  Stream* stream = server.only_stream();
  const std::string content(200'000, 'x');
  stream->submit_head({.status = 200}, false);
  size_t sent = 0;
  for (;;) {
    const std::array<std::string_view, 1> pieces = {std::string_view(content).substr(sent)};
    stream->offer(pieces, false);
    talk(server, client);
    sent += stream->taken().octets;
    if (stream->taken().octets == 0) break;
  }
  EXPECT_EQ(sent, Settings{}.stream_window);
  EXPECT_EQ(stream->taken().stop, Taken::Stop::kWindow);
  server.news();
  EXPECT_EQ(asked->content_waiting(), sent);
  asked->consume(40'000);
  talk(server, client);
  const auto news = server.news();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].second, News::kRoom);
  const std::array<std::string_view, 1> pieces = {std::string_view(content).substr(sent)};
  stream->offer(pieces, false);
  talk(server, client);
  EXPECT_EQ(stream->taken().octets, 40'000u);
}

TEST_F(Pair, StalledStreamsDoNotStopTheOthers) {
  std::vector<std::pair<Stream*, Stream*>> streams;   // client's, server's
  OutgoingRequest request = get();
  request.method = "POST";
  for (int i = 0; i < 60; ++i) {
    Stream* asked = ask(request, false);
    streams.emplace_back(asked, server.only_stream());
    ASSERT_TRUE(asked && streams.back().second);
  }
  const std::string content(70'000, 'x');
  for (size_t i = 0; i + 1 < streams.size(); ++i) {   // nobody consumes
    std::string_view rest = content;
    for (;;) {
      const std::array<std::string_view, 1> pieces = {rest};
      streams[i].first->offer(pieces, false);
      talk(client, server);
      if (streams[i].first->taken().octets == 0) break;
      rest.remove_prefix(streams[i].first->taken().octets);
    }
    EXPECT_EQ(streams[i].second->content_waiting(), Settings{}.stream_window) << i;
  }
  const std::string large(3'000'000, 'y');
  EXPECT_EQ(send(client, server, *streams.back().first, large, *streams.back().second).size(), large.size());
}

TEST_F(Pair, AResetIsToldOnTheOtherSide) {
  Stream* asked = ask(get());
  Stream* stream = server.only_stream();
  asked->reset(ErrorCode::kCancel);
  talk(client, server);
  const auto news = server.news();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].second, News::kReset | News::kClosed);
  EXPECT_TRUE(stream->reset_by_peer());
  EXPECT_EQ(stream->reset_code(), ErrorCode::kCancel);
  EXPECT_FALSE(stream->submit_head({.status = 200}, true));
  const std::array<std::string_view, 1> pieces = {"late"};
  stream->offer(pieces, true);
  EXPECT_EQ(stream->taken().stop, Taken::Stop::kGone);
  EXPECT_EQ(server.produce(), "");
}

TEST_F(Pair, AnAnswerBeforeTheEndOfTheRequestEndsItWithoutBlame) {
  OutgoingRequest request = get();
  request.method = "POST";
  Stream* asked = ask(request, false);
  Stream* stream = server.only_stream();
  stream->submit_head({.status = 413}, true);
  talk(server, client);
  stream->release();
  talk(server, client);
  client.news();
  EXPECT_EQ(asked->response().status, 413);
  EXPECT_TRUE(asked->is_reset());
  EXPECT_EQ(asked->reset_code(), ErrorCode::kNoError);
  EXPECT_EQ(server.session->budget().left(), AbuseBudget::kBurst);
}

TEST_F(Pair, AReleasedStreamTakesItsUnsentHeadWithIt) {
  ask(get());
  Stream* stream = server.only_stream();
  http::Arena* arena = &stream->arena();
  stream->submit_head({.status = 200}, true);
  (void)arena;
  stream->release();
  const auto frames = server.frames();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].type, 3);   // RST_STREAM alone
}

TEST_F(Pair, ARequestThatWasNeverSentCanBeReleased) {
  Stream* asked = client.session->open(get(), true);
  ASSERT_TRUE(asked);
  asked->release();
  talk(client, server);
  EXPECT_TRUE(server.news().empty());
  EXPECT_EQ(client.session->open_streams(), 0u);
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

TEST_F(Pair, DrainingTellsTwiceAndRefusesWhatCameLater) {
  Stream* first = ask(get());
  Stream* at_server = server.only_stream();
  server.session->begin_drain();
  const auto notice = server.frames();
  ASSERT_EQ(notice.size(), 1u);
  EXPECT_EQ(notice[0].word(), 0x7FFFFFFFu);
  Stream* late = ask(get());   // before the client has heard of it
  ASSERT_TRUE(late);
  Stream* late_at_server = server.only_stream();
  ASSERT_TRUE(late_at_server);
  server.session->end_drain();
  const auto last = server.frames();
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0].word(), 3u);
  Stream* unseen = client.session->open(get(), true);
  ASSERT_TRUE(unseen);
  server.receive(client.produce());
  EXPECT_TRUE(server.news().empty());
  client.receive(server.said);
  const auto news = client.news();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].first, unseen);
  EXPECT_TRUE(holds(news[0].second, News::kUnsent));
  EXPECT_FALSE(client.session->may_open());
  EXPECT_FALSE(server.session->is_over());
  at_server->submit_head({.status = 200}, true);
  late_at_server->submit_head({.status = 200}, true);
  talk(server, client);
  EXPECT_EQ(first->response().status, 200);
  EXPECT_TRUE(server.session->is_over());
}

TEST_F(Pair, AFaultEndsEveryStream) {
  Stream* asked = ask(get());
  Stream* stream = server.only_stream();
  server.session->fail(Fault::kSettingsTimeout);
  const auto news = server.news();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].second, News::kReset | News::kClosed);
  const auto frames = server.frames();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].type, 7);
  EXPECT_EQ(frames[0].word(4), 4u);
  EXPECT_TRUE(server.session->is_over());
  EXPECT_FALSE(server.session->receive("x", 1));
  EXPECT_EQ(server.words.counters.connection_errors[static_cast<size_t>(Fault::kSettingsTimeout)].value(), 1u);
  stream->release();
  client.receive(server.said);
  EXPECT_TRUE(client.session->received_goaway());
  EXPECT_FALSE(asked->is_closed());   // it had been seen
}

TEST_F(Pair, AStreamMayGoBeforeTheFaultThatEndedItIsSaid) {
  ask(get());
  ask(get());
  const auto streams = server.news();
  ASSERT_EQ(streams.size(), 2u);
  streams[0].first->submit_head({.status = 200}, false);   // on its way
  streams[1].first->submit_head({.status = 200}, true);
  server.session->fail(Fault::kSettingsTimeout);
  for (const auto& [stream, news] : streams) stream->release();
  const auto frames = server.frames();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].type, 7);
  EXPECT_EQ(server.session->open_streams(), 0u);
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

TEST_F(Pair, AnyRoomGetsOn) {
  Stream* asked = ask(get());
  Stream* stream = server.only_stream();
  http::Arena arena;
  http::Fields fields(arena);
  const std::string value(20'000, 'v');   // a header block in two frames
  fields.add("X-Large", value);
  const std::array<std::string_view, 1> pieces = {"content"};
  ASSERT_TRUE(stream->submit_head({.status = 200, .fields = &fields}, false));
  std::string all;
  std::array<char, 16> room;
  for (bool ended = false; !ended;) {
    stream->offer(pieces, true);
    const size_t size = server.session->produce(room);
    ASSERT_GT(size, 0u);
    ASSERT_LE(size, room.size());
    all.append(room.data(), size);
    ended = stream->taken().ended;
    EXPECT_TRUE(ended || stream->taken().octets == 0);
  }
  client.receive(all);
  client.news();
  EXPECT_EQ(asked->response().fields.value(FieldName::kOther), value);
  EXPECT_EQ(all_content(*asked), "content");
}

TEST_F(Pair, WholeFramesOnlyAreWrittenWhereOthersWereWritten) {
  ask(get());
  Stream* stream = server.only_stream();
  stream->submit_head({.status = 200, .content = {http::ContentLength::Kind::kKnown, 1000}}, false);
  const std::string content(1000, 'x');
  const std::array<std::string_view, 1> pieces = {content};
  stream->offer(pieces, true);
  std::string room(100, '\0');
  std::string written = room.substr(0, server.session->produce({room.data(), room.size()}));
  EXPECT_EQ(octets::frames_of(written).size(), 1u);
  EXPECT_EQ(written, "");
  EXPECT_EQ(stream->taken().octets, 0u);
  EXPECT_EQ(stream->taken().stop, Taken::Stop::kRoom);
}

TEST_F(Pair, NothingIsLeftWhenBothAreGone) {
  for (int i = 0; i < 20; ++i) {
    Stream* asked = ask(get());
    Stream* stream = server.only_stream();
    const std::array<std::string_view, 1> pieces = {"x"};
    stream->submit_head({.status = 200}, false);
    stream->offer(pieces, true);
    talk(server, client);
    stream->release();
    asked->release();
  }
  client.session.reset();
  server.session.reset();
  EXPECT_EQ(client.memory.live, 0u);
  EXPECT_EQ(server.memory.live, 0u);
  EXPECT_EQ(server.words.counters.header_tables.value(), 0u);
}

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
