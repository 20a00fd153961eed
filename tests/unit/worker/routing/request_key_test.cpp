#include "worker/routing/request_key.h"

#include <gtest/gtest.h>

#include "shared/config/cidr.h"

namespace proxyd::routing {
namespace {

uint64_t word_of(const char* client) { return client_word(config::parse_mapped_address(client).value()); }

TEST(RequestKey, TellsClientsApartByAddressAndInIpv6ByNetwork) {
  EXPECT_NE(word_of("192.0.2.1"), word_of("192.0.2.2"));
  EXPECT_EQ(word_of("2001:db8:1:1::1"), word_of("2001:db8:1:1:ffff::2"));
  EXPECT_NE(word_of("2001:db8:1:1::1"), word_of("2001:db8:1:2::1"));
  EXPECT_NE(word_of("192.0.2.1"), word_of("2001:db8:1:2::1"));
}

TEST(RequestKey, IsAnyValueOfARequest) {
  http::Arena arena;
  http::RequestHead head(arena);
  head.fields.add("X-Key", "k1");
  head.fields.add("X-Key", "k2");
  head.fields.add("Cookie", "a=b; user=anna");
  head.target = http::parse_target("/p?u=bert", http::Method::kGet, arena).value();
  RequestFacts facts;
  facts.head = &head;
  EXPECT_EQ(RequestKey("path").value(facts), "/p");
  EXPECT_EQ(RequestKey("header:x-key").value(facts), "k1");
  EXPECT_EQ(RequestKey("cookie:user").value(facts), "anna");
  EXPECT_EQ(RequestKey("query:u").value(facts), "bert");
  EXPECT_FALSE(RequestKey("query:v").is_in(facts));
  EXPECT_TRUE(RequestKey("client_ip").is_in(facts));
}

}   // namespace
}   // namespace proxyd::routing
