#include "worker/proxy/intermediary_fields.h"

#include <gtest/gtest.h>

#include <string>

#include "worker/http1/framing.h"

namespace proxyd::proxy {
namespace {

using http::FieldName;

class FieldsOnTheWay : public testing::Test {
 protected:
  FieldsOnTheWay() {
    facts_.head = &head_;
    facts_.host = facts_.authority = "a.test";
    facts_.port = 80;
    facts_.client_text = facts_.peer_text = "192.0.2.1";
    head_.method = http::Method::kGet;
  }
  http::Fields to_target() {
    const Identity identity = identify(head_.fields, facts_.from_trusted_proxy, "0123456789abcdef0123456789abcdef");
    head_.connection = http1::connection_options(head_.fields);
    return make_request_fields(facts_, head_.fields, identity, arena_);
  }
  std::string all(const http::Fields& fields, std::string_view name) {
    std::string text;
    for (const http::Field& field : fields) {
      if (field.known == http::field_name_from(name) && (field.known != FieldName::kOther || field.name == name))
        text += std::string(field.value) + "|";
    }
    return text;
  }
  http::Arena arena_;
  http::RequestHead head_{arena_};
  routing::RequestFacts facts_;
};

TEST_F(FieldsOnTheWay, OfForwardingAreOursAlone) {
  head_.fields.add("X-Forwarded-For", "6.6.6.6");
  head_.fields.add("Forwarded", "for=6.6.6.6");
  head_.fields.add("X-Real-IP", "6.6.6.6");
  head_.fields.add("X-Original-URL", "/admin");
  const http::Fields fields = to_target();
  EXPECT_EQ(all(fields, "X-Forwarded-For"), "192.0.2.1|");
  EXPECT_EQ(all(fields, "Forwarded"), "for=192.0.2.1;host=a.test;proto=http|");
  EXPECT_EQ(all(fields, "X-Real-IP"), "192.0.2.1|");
  EXPECT_EQ(all(fields, "X-Original-URL"), "");
}

TEST_F(FieldsOnTheWay, BehindATrustedProxyNameEachHopOnce) {
  head_.fields.add("X-Forwarded-For", "203.0.113.9");
  facts_.from_trusted_proxy = true;
  facts_.client_text = "203.0.113.9";
  facts_.peer_text = "10.0.0.1";
  const http::Fields fields = to_target();
  EXPECT_EQ(all(fields, "X-Forwarded-For"), "203.0.113.9, 10.0.0.1|");
  EXPECT_EQ(all(fields, "Forwarded"), "for=10.0.0.1;host=a.test;proto=http|");
  EXPECT_EQ(all(fields, "X-Real-IP"), "203.0.113.9|");
}

TEST_F(FieldsOnTheWay, QuoteAddressesAndPortsAsForwardedWants) {
  facts_.client_text = facts_.peer_text = "2001:db8::1";
  facts_.port = 8080;
  facts_.authority = "a.test:8080";
  EXPECT_EQ(all(to_target(), "Forwarded"), "for=\"[2001:db8::1]\";host=\"a.test:8080\";proto=http|");
  facts_.client_text = facts_.peer_text = "unix:";
  EXPECT_EQ(all(to_target(), "Forwarded"), "for=unknown;host=\"a.test:8080\";proto=http|");
  facts_.host = facts_.authority = "x;for=6.6.6.6";
  EXPECT_EQ(all(to_target(), "Forwarded"), "for=unknown;host=\"x;for=6.6.6.6\";proto=http|");
}

TEST_F(FieldsOnTheWay, ThatAreHopByHopStay) {
  head_.fields.add("Connection", "close, X-Secret, Host, X-Forwarded-For");
  head_.fields.add("x-secret", "1");
  head_.fields.add("Keep-Alive", "timeout=5");
  head_.fields.add("Proxy-Authorization", "Basic x");
  head_.fields.add("Upgrade", "h2c");
  head_.fields.add("HTTP2-Settings", "x");
  head_.fields.add("TE", "gzip, trailers");
  const http::Fields fields = to_target();
  for (const char* name : {"x-secret", "Keep-Alive", "Proxy-Authorization", "Upgrade", "HTTP2-Settings"})
    EXPECT_EQ(all(fields, name), "") << name;
  EXPECT_EQ(all(fields, "TE"), "trailers|");
  EXPECT_EQ(all(fields, "Connection"), "TE|");   // RFC 9110 10.1.4
  EXPECT_EQ(all(fields, "X-Forwarded-For"), "192.0.2.1|");
}

TEST_F(FieldsOnTheWay, CountHopsDownForOptionsAlone) {
  head_.fields.add("Max-Forwards", "7");
  EXPECT_EQ(all(to_target(), "Max-Forwards"), "7|");
  head_.method = http::Method::kOptions;
  EXPECT_EQ(all(to_target(), "Max-Forwards"), "6|");
}

TEST_F(FieldsOnTheWay, ContinueAnIdentityFromTrustedProxiesOnly) {
  head_.fields.add("X-Request-Id", "from-outside");
  head_.fields.add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  head_.fields.add("tracestate", "a=b");
  http::Fields fields = to_target();
  EXPECT_EQ(all(fields, "X-Request-Id"), "0123456789abcdef0123456789abcdef|");
  EXPECT_EQ(all(fields, "traceparent"), "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00|");
  EXPECT_EQ(all(fields, "tracestate"), "");
  facts_.from_trusted_proxy = true;
  fields = to_target();
  EXPECT_EQ(all(fields, "X-Request-Id"), "from-outside|");
  EXPECT_EQ(all(fields, "traceparent"), "00-4bf92f3577b34da6a3ce929d0e0e4736-0123456789abcdef-01|");
  EXPECT_EQ(all(fields, "tracestate"), "a=b|");
  for (const char* wrong : {"<script>", "a\"b", "a b", ""}) {
    head_.fields.set("X-Request-Id", wrong);
    EXPECT_EQ(all(to_target(), "X-Request-Id"), "0123456789abcdef0123456789abcdef|") << wrong;
  }
}

TEST_F(FieldsOnTheWay, TellALoopByOurNameAlone) {
  head_.fields.add("Via", "1.1 proxyd, 1.1 other, 1.1 proxyd (x)");
  EXPECT_FALSE(is_loop(head_.fields));
  head_.fields.add("Via", "1.0 proxyd");
  EXPECT_TRUE(is_loop(head_.fields));
  head_.fields.clear();
  head_.fields.add("CDN-Loop", "proxyd2, proxyd-x, proxyd; n=1, proxyd");
  EXPECT_FALSE(is_loop(head_.fields));
}

TEST_F(FieldsOnTheWay, InTrailersFrameRouteAndAuthenticateNothing) {
  http::Fields trailers(arena_);
  for (const char* name : {"Content-Length", "Transfer-Encoding", "Host", "Authorization", "Set-Cookie",
                           "X-Forwarded-For", "Connection", "X-Sum"})
    trailers.add(name, "1");
  const http::Fields passed = make_trailers(trailers, arena_);
  ASSERT_EQ(passed.size(), 1u);
  EXPECT_EQ(passed.begin()->name, "X-Sum");
}

}   // namespace
}   // namespace proxyd::proxy
