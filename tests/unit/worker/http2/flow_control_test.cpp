#include <gtest/gtest.h>

#include "tests/support/http2/pair.h"

namespace proxyd::http2 {
namespace {

using http::FieldName;

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

}   // namespace
}   // namespace proxyd::http2
