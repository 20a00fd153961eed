#include <gtest/gtest.h>

#include "tests/support/http2/transcript.h"

namespace proxyd::http2 {
namespace {

using http::Refusal;
using octets::data;
using octets::get;
using octets::headers;

TEST(BadServer, PushesNothing) {
  Peer client(Role::kClient);
  client.receive(octets::settings() + octets::frame(5, 4, 1, octets::number(2, 4) + octets::block(get())));
  EXPECT_EQ(client.session->fault(), Fault::kPush);
  EXPECT_EQ(client.frames().back().word(4), 1u);
}

class Answered : public testing::Test {
 protected:
  Answered() {
    client.receive(octets::settings());
    asked = client.session->open({.method = "GET", .scheme = "http", .authority = "a", .path = "/"}, true);
    client.produce();
  }
  Refusal refusal_of(const std::string& answer) {
    client.receive(answer, 3);
    client.news();
    return asked->refusal();
  }
  Peer client{Role::kClient};
  Stream* asked;
};

TEST_F(Answered, WithoutAStatus) {
  EXPECT_EQ(refusal_of(headers(1, {{"x", "y"}})), Refusal::kPseudoMissing);
  EXPECT_TRUE(asked->is_reset());
}

TEST_F(Answered, With101) {
  EXPECT_EQ(refusal_of(headers(1, {{":status", "101"}}, octets::kEndHeaders)), Refusal::kPseudoStatus);
}

TEST_F(Answered, WithAnInterimHeadThatEnds) {
  EXPECT_EQ(refusal_of(headers(1, {{":status", "103"}})), Refusal::kPseudoStatus);
}

TEST_F(Answered, WithInterimHeadsForEver) {
  std::string all;
  for (int i = 0; i < 20; ++i) all += headers(1, {{":status", "103"}}, octets::kEndHeaders);
  EXPECT_EQ(refusal_of(all), Refusal::kInterimMany);
}

TEST_F(Answered, WithMoreThanItsLength) {
  const std::string head = headers(1, {{":status", "200"}, {"content-length", "2"}}, octets::kEndHeaders);
  EXPECT_EQ(refusal_of(head + data(1, "abc", true)), Refusal::kLengthMismatch);
}

TEST_F(Answered, WithContentWhereThereIsNone) {
  EXPECT_EQ(refusal_of(headers(1, {{":status", "204"}}, octets::kEndHeaders) + data(1, "abc", true)),
            Refusal::kLengthMismatch);
}

TEST_F(Answered, WithARequest) {
  client.receive(headers(1, {{":status", "200"}}) + headers(3, get()));
  EXPECT_NE(client.session->fault(), Fault::kNone);
}

}   // namespace
}   // namespace proxyd::http2
