#include <gtest/gtest.h>

#include "shared/config/decode.h"

namespace proxyd::config {
namespace {

constexpr const char* kDocument = R"(version: 1
certificates:
  www: { certificate_file: /tls/www.pem, private_key_file: /tls/www.key }
  api: { uploaded: true }
listeners:
  http: { address: ":80" }
  prior: { address: ":81", protocols: [h2c] }
  https:
    address: ":443"
    tls:
      certificates: [www, api]
      default_certificate: api
      unknown_sni: default
      min_version: "1.3"
      ciphers: ECDHE-RSA-AES128-GCM-SHA256
      session_tickets: false
      client_auth: { ca_file: /tls/clients.pem, mode: request }
  plain: { address: ":444", tls: {} }
  old: { address: ":445", protocols: [h1], tls: {} }
hosts:
  www: { names: [www.test], client_auth: { ca_file: /tls/www-clients.pem }, force_https: { hsts: 1d } }
)";

Document read(const char* text) {
  const Decoded decoded = decode(text, Format::kYaml);
  EXPECT_TRUE(decoded.valid()) << decoded.problems.front().message;
  return decoded.document;
}

TEST(Tls, OfADocumentIsReadWhole) {
  const Document document = read(kDocument);
  EXPECT_EQ(document.certificates.at("www"), (Certificate{"www", "/tls/www.pem", "/tls/www.key", false}));
  EXPECT_EQ(document.certificates.at("api"), (Certificate{"api", "", "", true}));
  const ListenerTls said{.certificates = {"www", "api"},
                         .default_certificate = "api",
                         .unknown_sni = UnknownSni::kDefault,
                         .min_version = TlsVersion::k13,
                         .ciphers = "ECDHE-RSA-AES128-GCM-SHA256",
                         .session_tickets = false,
                         .client_auth = ClientAuth{"/tls/clients.pem", ClientAuthMode::kRequest}};
  EXPECT_EQ(document.listeners.at("https").tls, said);
  EXPECT_EQ(document.listeners.at("plain").tls, ListenerTls());
  EXPECT_FALSE(document.listeners.at("http").tls);
  EXPECT_EQ(document.hosts.at("www").client_auth, (ClientAuth{"/tls/www-clients.pem", ClientAuthMode::kRequire}));
  EXPECT_EQ(document.hosts.at("www").force_https, (ForceHttps{308, seconds(86400)}));
}

TEST(ClientAuth, OfAHostGoesWithAListenerWithoutTlsWhereNobodyIsServedThere) {
  const auto is_valid = [](const std::string& rest) {
    return decode(
               "version: 1\ncertificates: { c: { uploaded: true } }\nlisteners: { a: { address: \":1\" }, b: { "
               "address: "
               "\":2\", tls: {} } }\nhosts: { h: { names: [a], client_auth: { ca_file: /ca.pem" +
                   rest + " } }\n",
               Format::kYaml)
        .valid();
  };
  EXPECT_FALSE(is_valid(" }"));
  EXPECT_FALSE(is_valid(" }, listeners: [a, b]"));
  EXPECT_TRUE(is_valid(" }, listeners: [b]"));
  EXPECT_TRUE(is_valid(" }, force_https: {}"));
  EXPECT_TRUE(is_valid(", mode: request }"));
}

TEST(Protocols, AreHttp2AndHttp1WithTlsAndHttp1WithoutUnlessTheListenerSays) {
  const Document document = read(kDocument);
  EXPECT_EQ(document.listeners.at("http").protocols, (Protocols{.h1 = true}));
  EXPECT_EQ(document.listeners.at("prior").protocols, (Protocols{.h1 = false, .h2c = true}));
  EXPECT_EQ(document.listeners.at("https").protocols, (Protocols{.h1 = true, .h2 = true}));
  EXPECT_EQ(document.listeners.at("old").protocols, (Protocols{.h1 = true}));
}

TEST(Protocols, OfUpstreamsAreHttp1UnlessTheySay) {
  const Document document = read(
      "version: 1\nupstreams:\n  a: {}\n  b: { protocol: h2c }\n  c: { protocol: h2, tls: {} }\n"
      "  d: { protocol: auto, tls: {} }\n  e: { protocol: h1, tls: {} }\n");
  EXPECT_EQ(document.upstreams.at("a").protocol, UpstreamProtocol::kH1);
  EXPECT_EQ(document.upstreams.at("b").protocol, UpstreamProtocol::kH2c);
  EXPECT_EQ(document.upstreams.at("c").protocol, UpstreamProtocol::kH2);
  EXPECT_EQ(document.upstreams.at("d").protocol, UpstreamProtocol::kAuto);
  EXPECT_EQ(document.upstreams.at("e").protocol, UpstreamProtocol::kH1);
}

TEST(Protocols, ThatAreTheDefaultAreNotWrittenOutButInTheExpandedDocument) {
  const char* text =
      "version: 1\ncertificates: { c: { uploaded: true } }\nlisteners: { a: { address: \":1\", protocols: [h1] }, b: { "
      "address: \":2\", protocols: [h1, h2], tls: {} } }\n";
  const Decoded decoded = decode(text, Format::kYaml);
  ASSERT_TRUE(decoded.valid()) << decoded.problems.front().message;
  for (const char* name : {"a", "b"}) EXPECT_FALSE(decoded.canonical["listeners"][name].contains("protocols")) << name;
  const Json whole = expanded(decoded.canonical);
  EXPECT_EQ(whole["listeners"]["a"]["protocols"], Json::array({"h1"}));
  EXPECT_EQ(whole["listeners"]["b"]["protocols"], Json::array({"h2", "h1"}));
}

}   // namespace
}   // namespace proxyd::config
