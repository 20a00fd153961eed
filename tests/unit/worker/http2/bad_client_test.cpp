#include <gtest/gtest.h>

#include "tests/support/http2/transcript.h"

namespace proxyd::http2 {
namespace {

using http::Refusal;
using octets::data;
using octets::get;
using octets::headers;
using octets::hello;
using octets::post;

class BadClient : public testing::Test {
 protected:
  // The last frame that answers octets behind the hello.
  octets::Frame answer_to(const std::string& all) {
    server.receive(hello() + all);
    const auto frames = server.frames();
    return frames.empty() ? octets::Frame{} : frames.back();
  }
  void expect_goaway(const octets::Frame& frame, ErrorCode code, Fault fault) {
    EXPECT_EQ(frame.type, 7);
    EXPECT_EQ(frame.word(4), static_cast<uint32_t>(code));
    EXPECT_EQ(to_string(server.session->fault()), to_string(fault));
    EXPECT_EQ(server.words.counters.connection_errors[static_cast<size_t>(fault)].value(), 1u);
  }
  template <class Make>
  static std::string many(int count, Make make) {
    std::string all;
    for (int i = 0; i < count; ++i) all += make(static_cast<uint32_t>(2 * i + 1));
    return all;
  }

  // A thousand requests, each with what makes us reset it, from one who reads all.
  template <class Make>
  void expect_calm_after(Make make) {
    server.receive(hello());
    int requests = 0;
    for (uint32_t id = 1; id < 2000 && server.session->fault() == Fault::kNone; id += 2) {
      server.receive(headers(id, get()) + make(id));
      server.frames();
      for (const auto& [stream, news] : server.news()) {
        ++requests;
        EXPECT_TRUE(holds(news, News::kReset));
        stream->release();
      }
    }
    EXPECT_LE(requests, 202);
    EXPECT_EQ(to_string(server.session->fault()), "self_reset_flood");
    EXPECT_TRUE(server.session->is_over());
    const std::vector<octets::Frame> said = octets::frames_of(server.said);
    EXPECT_EQ(said.back().type, 7);
    EXPECT_EQ(said.back().word(4), static_cast<uint32_t>(ErrorCode::kEnhanceYourCalm));
  }

  Peer server{Role::kServer};
};

TEST_F(BadClient, H2_047_SendsAFrameBeyondTheSize) {
  const auto last = answer_to(headers(1, post(), octets::kEndHeaders) + data(1, std::string(16'385, 'x')));
  expect_goaway(last, ErrorCode::kFrameSizeError, Fault::kFrameSize);
}

TEST_F(BadClient, H2_054_FloodsWithSettings) {
  const auto last = answer_to(many(20'000, [](uint32_t) { return octets::settings(); }));
  expect_goaway(last, ErrorCode::kEnhanceYourCalm, Fault::kSettingsFlood);
  EXPECT_LT(server.memory.most, 300'000u);   // of acknowledgements
}

TEST_F(BadClient, FloodsWithPings) {
  const auto last = answer_to(many(20'000, [](uint32_t) { return octets::frame(6, 0, 0, "12345678"); }));
  expect_goaway(last, ErrorCode::kEnhanceYourCalm, Fault::kPingFlood);
}

TEST_F(BadClient, FloodsWithEmptyData) {
  const auto last =
      answer_to(headers(1, post(), octets::kEndHeaders) + many(300, [](uint32_t) { return data(1, ""); }));
  expect_goaway(last, ErrorCode::kEnhanceYourCalm, Fault::kEmptyDataFlood);
}

TEST_F(BadClient, FloodsWithPaddingAlone) {
  const auto padding = [](uint32_t) { return octets::frame(0, 8, 1, std::string(1, '\x05') + std::string(5, '\0')); };
  const auto last = answer_to(headers(1, post(), octets::kEndHeaders) + many(300, padding));
  expect_goaway(last, ErrorCode::kEnhanceYourCalm, Fault::kEmptyDataFlood);
}

TEST_F(BadClient, FloodsWithSmallWindowUpdates) {
  const auto last = answer_to(many(300, [](uint32_t) { return octets::window_update(0, 1023); }));
  expect_goaway(last, ErrorCode::kEnhanceYourCalm, Fault::kWindowFlood);
}

TEST_F(BadClient, MayUpdateWindowsByAsMuchAsThatIsWorth) {
  answer_to(many(5000, [](uint32_t) { return octets::window_update(0, 1024); }));
  EXPECT_EQ(server.session->fault(), Fault::kNone);
  EXPECT_EQ(server.session->budget().left(), AbuseBudget::kBurst);
}

TEST_F(BadClient, H2_059_ResetsRapidly) {
  server.receive(hello());
  int requests = 0;
  bool well = true;
  for (int i = 0; i < 3000 && well; ++i) {
    const auto id = static_cast<uint32_t>(2 * i + 1);
    well = server.receive(headers(id, get()) + octets::reset(id));
    for (const auto& [stream, news] : server.news()) {
      requests += holds(news, News::kReset) ? 0 : 1;
      stream->release();   // a server whose upstreams take no time
    }
  }
  EXPECT_FALSE(well);
  EXPECT_EQ(requests, 0);   // each had gone before anybody looked
  expect_goaway(server.frames().back(), ErrorCode::kEnhanceYourCalm, Fault::kResetFlood);
}

TEST_F(BadClient, MayResetAsOftenAsTimeAllows) {
  server.receive(hello());
  for (int i = 0; i < 1000; ++i) {
    const auto id = static_cast<uint32_t>(2 * i + 1);
    server.now += 31;
    ASSERT_TRUE(server.receive(headers(id, get()) + octets::reset(id))) << i;
    for (const auto& [stream, news] : server.news()) stream->release();
  }
}

// MadeYouReset: whatever makes us reset counts as a reset of the client's, though each stream is free at once.
TEST_F(BadClient, H2_060_UpdatesWindowsByNothing) {
  expect_calm_after([](uint32_t id) { return octets::window_update(id, 0); });
}

TEST_F(BadClient, H2_061_OverflowsWindows) {
  expect_calm_after([](uint32_t id) { return octets::window_update(id, 0x7FFFFFFF); });
}

TEST_F(BadClient, OverflowsAsManyWindowsAsAreReadAtOnceAndIsChargedBeforeAnythingIsSent) {
  server.receive(hello());
  uint32_t id = 1;
  for (; id < 2000 && server.session->fault() == Fault::kNone; id += 2) {
    server.receive(headers(id, get()) + octets::window_update(id, 0x7FFFFFFF));
    for (const auto& [stream, news] : server.news()) stream->release();
  }
  EXPECT_EQ(server.session->fault(), Fault::kSelfResetFlood);
  EXPECT_LE(id, 2 * AbuseBudget::kBurst + 3);
}

TEST_F(BadClient, H2_063_SendsPrioritiesOfTheWrongSize) {
  expect_calm_after([](uint32_t id) { return octets::frame(2, 0, id, "1234"); });
}

TEST_F(BadClient, H2_064_SendsPrioritiesThatDependOnThemselves) {
  expect_calm_after([](uint32_t id) { return octets::frame(2, 0, id, octets::number(id, 4) + "\x10"); });
}

TEST_F(BadClient, H2_070_FloodsWithPriorities) {
  const auto last = answer_to(many(
      20'000, [](uint32_t id) { return octets::frame(2, 0, 1, octets::number((id + 2) & 0x7FFFFFFF, 4) + "\x10"); }));
  expect_goaway(last, ErrorCode::kEnhanceYourCalm, Fault::kPriorityFlood);
}

TEST_F(BadClient, H2_071_SendsAnHpackBomb) {
  const std::string entry = octets::integer(0x40, 6, 0) + octets::integer(0, 7, 1) + "x" + octets::integer(0, 7, 4000) +
                            std::string(4000, 'b');
  const std::string bomb = octets::block(get()) + entry + std::string(8000, '\xBE');   // the newest entry, 8000 times
  server.receive(hello() + octets::frame(1, 5, 1, bomb));
  const auto news = server.news();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].first->refusal(), Refusal::kHeaderSize);
  EXPECT_EQ(http::status_of(news[0].first->refusal()), 431);
  EXPECT_LT(server.memory.most, 120'000u);
  EXPECT_EQ(server.session->fault(), Fault::kNone);
  EXPECT_LT(server.session->budget().left(), AbuseBudget::kBurst);
}

TEST_F(BadClient, H2_076_SendsAHeaderListOf200KB) {
  octets::Fields fields = get();
  for (int i = 0; i < 13; ++i) fields.emplace_back("x", std::string(10'000, 'v'));
  const std::string large = octets::block(fields);
  std::string all = octets::frame(1, 1, 1, large.substr(0, 16'384));
  for (size_t at = 16'384; at < large.size(); at += 16'384) {
    all += octets::frame(9, at + 16'384 >= large.size() ? 4 : 0, 1, large.substr(at, 16'384));
  }
  server.receive(hello() + all, 1000);
  const auto news = server.news();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(http::status_of(news[0].first->refusal()), 431);
}

TEST_F(BadClient, SendsContinuationsWithoutEnd) {
  const auto last = answer_to(octets::frame(1, 1, 1, octets::block(get())) +
                              many(300, [](uint32_t) { return octets::frame(9, 0, 1, ""); }));
  expect_goaway(last, ErrorCode::kEnhanceYourCalm, Fault::kContinuationFlood);
}

TEST_F(BadClient, MaySendContinuationsInParts) {
  const std::string block = octets::block(get({{"x", "y"}}));
  std::string all = octets::frame(1, 1, 1, block.substr(0, 3));
  for (size_t i = 0; i < 7; ++i) all += octets::frame(9, 0, 1, block.substr(3 + i, 1));
  all += octets::frame(9, 4, 1, block.substr(10));
  server.receive(hello() + all, 1);
  ASSERT_EQ(server.session->fault(), Fault::kNone);
  EXPECT_EQ(server.only_stream()->refusal(), Refusal::kNone);
}

TEST_F(BadClient, H2_080_OpensMoreStreamsThanAllowed) {
  server.receive(hello() + octets::frame(4, 1, 0));   // our SETTINGS acknowledged
  server.frames();
  server.receive(many(150, [](uint32_t id) { return headers(id, post(), octets::kEndHeaders); }));
  EXPECT_EQ(server.news().size(), 100u);
  int refused = 0;
  for (const octets::Frame& frame : server.frames()) refused += frame.type == 3 && frame.word() == 7;
  EXPECT_EQ(refused, 50);
  EXPECT_EQ(server.session->fault(), Fault::kNone);
  bool well = true;
  for (uint32_t id = 301; id < 801 && well; id += 2) well = server.receive(headers(id, post(), octets::kEndHeaders));
  EXPECT_EQ(server.session->fault(), Fault::kRefusedFlood);
}

TEST_F(BadClient, H2_083_SendsManyCrumbs) {
  octets::Fields fields = get();
  for (int i = 0; i < 2000; ++i) fields.emplace_back("cookie", "a");
  const std::string block = octets::block(fields);
  std::string all = octets::frame(1, 1, 1, block.substr(0, 16'000));
  for (size_t at = 16'000; at < block.size(); at += 16'000) {
    all += octets::frame(9, at + 16'000 >= block.size() ? 4 : 0, 1, block.substr(at, 16'000));
  }
  server.receive(hello() + all);
  EXPECT_EQ(server.only_stream()->refusal(), Refusal::kHeaderCount);
}

TEST_F(BadClient, H2_086_GoesAwayAndStillGetsItsAnswers) {
  server.receive(hello() + headers(1, get()) + octets::frame(7, 0, 0, octets::number(0, 8)));
  EXPECT_TRUE(server.session->received_goaway());
  Stream* stream = server.only_stream();
  ASSERT_TRUE(stream);
  EXPECT_FALSE(server.session->is_over());
  stream->submit_head({.status = 200}, true);
  EXPECT_EQ(server.frames().back().type, 1);
  EXPECT_TRUE(server.session->is_over());
}

TEST_F(BadClient, H2_087_NeverAcknowledgesOurSettings) {
  server.receive(hello());
  server.frames();
  EXPECT_TRUE(server.session->awaits_settings_ack());
  server.receive(octets::frame(4, 1, 0));
  EXPECT_FALSE(server.session->awaits_settings_ack());
}

TEST_F(BadClient, H2_089_IsKnownToBeWithinAFrame) {
  EXPECT_TRUE(server.session->within_frame());   // the preface
  server.receive(hello());
  EXPECT_FALSE(server.session->within_frame());
  EXPECT_EQ(server.session->frames_begun(), 1u);
  server.receive("a");
  EXPECT_TRUE(server.session->within_frame());
}

TEST_F(BadClient, H2_089_IsKnownToBeWithinAHeaderBlockWhichCountsAsOneFrame) {
  server.receive(hello());
  const std::string block = octets::block(octets::get());
  server.receive(octets::frame(1, 1, 1, block.substr(0, 5)));
  EXPECT_TRUE(server.session->within_frame());
  EXPECT_EQ(server.session->frames_begun(), 2u);
  server.receive(octets::frame(9, 0, 1, block.substr(5, 5)));
  EXPECT_TRUE(server.session->within_frame());
  server.receive(octets::frame(9, 4, 1, block.substr(10)));
  EXPECT_FALSE(server.session->within_frame());
  EXPECT_EQ(server.session->frames_begun(), 2u);
}

TEST_F(BadClient, OpensTheWindowOfAnIdleStreamByNothing_rfc9113_5_1) {
  const octets::Frame last = answer_to(octets::frame(8, 0, 9, octets::number(0, 4)));
  expect_goaway(last, ErrorCode::kProtocolError, Fault::kIdleStream);
}

TEST_F(BadClient, NamesNoStreamOfItsOwnInAPriorityUpdate_rfc9218_7_1) {
  for (const uint64_t id : {0, 2}) {
    Peer other(Role::kServer);
    other.receive(hello());
    other.receive(octets::frame(0x10, 0, 0, octets::number(id, 4) + "u=1"));
    EXPECT_EQ(other.session->fault(), Fault::kProtocol) << id;
  }
}

TEST_F(BadClient, H2_092_SpeaksHttp1) {
  server.receive("GET / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: somebody\r\n\r\n");
  expect_goaway(server.frames().back(), ErrorCode::kProtocolError, Fault::kPreface);
}

TEST_F(BadClient, BeginsWithSomethingElseThanSettings) {
  server.receive(std::string(octets::kMagic) + headers(1, get()));
  EXPECT_TRUE(server.news().empty());
  expect_goaway(server.frames().back(), ErrorCode::kProtocolError, Fault::kPreface);
}

TEST_F(BadClient, SendsMoreThanTheWindow) {
  server.receive(hello() + headers(1, post(), octets::kEndHeaders));
  Stream* stream = server.only_stream();
  server.receive(octets::frame(4, 1, 0));
  for (int i = 0; i < 5; ++i) server.receive(data(1, std::string(16'000, 'x')));
  const auto frames = server.frames();
  EXPECT_EQ(frames.back().type, 3);
  EXPECT_EQ(frames.back().word(), 3u);   // FLOW_CONTROL_ERROR
  EXPECT_TRUE(stream->is_reset());
  EXPECT_LT(server.memory.most, 140'000u);
}

TEST_F(BadClient, SendsContentToAStreamThatIsGone) {
  server.receive(hello() + headers(1, post(), octets::kEndHeaders));
  server.only_stream()->release();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(server.receive(data(1, std::string(16'000, 'x'))));
  EXPECT_EQ(server.session->fault(), Fault::kNone);   // the connection's window came back
}

TEST_F(BadClient, SendsMalformedTrailers) {
  server.receive(hello() + headers(1, post(), octets::kEndHeaders) + headers(1, {{":path", "/"}}));
  Stream* stream = server.only_stream();
  EXPECT_EQ(stream->refusal(), Refusal::kPseudoUnknown);
  EXPECT_TRUE(stream->is_reset());
  EXPECT_FALSE(stream->trailers());
}

TEST_F(BadClient, SendsTrailersWithoutLimit) {
  octets::Fields trailers;
  for (int i = 0; i < 90; ++i) trailers.emplace_back("x" + std::to_string(i), std::string(100, 'v'));
  server.receive(hello() + headers(1, post(), octets::kEndHeaders) + headers(1, trailers));
  EXPECT_EQ(server.only_stream()->refusal(), Refusal::kTrailerLimit);
}

}   // namespace
}   // namespace proxyd::http2
