#include <gtest/gtest.h>

#include "tests/support/http2/pair.h"

namespace proxyd::http2 {
namespace {

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

}   // namespace
}   // namespace proxyd::http2
