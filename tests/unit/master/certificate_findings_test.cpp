#include "master/certificate_findings.h"

#include <gtest/gtest.h>

#include "master/certificate_attention.h"

namespace proxyd::master {
namespace {

using std::chrono::hours;
const auto kNow = std::chrono::system_clock::now();

Certificates one_that_ends(hours left, std::vector<std::string> names = {"www.test"}) {
  auto certificate = std::make_shared<CheckedCertificate>();
  certificate->facts.names = std::move(names);
  certificate->facts.not_after = kNow + left;
  return {{"www", certificate}};
}

std::vector<std::string> told(const Certificates& certificates, const std::map<std::string, std::string>& faults = {}) {
  std::vector<Attention> all;
  add_certificates({}, certificates, faults, kNow, all);
  std::vector<std::string> codes;
  for (const Attention& one : all) codes.push_back(one.severity + " " + one.code);
  return codes;
}

TEST(CertificateAttention, IsAWarningTwoWeeksBeforeTheEndAndAnErrorAfterIt) {
  using Codes = std::vector<std::string>;
  EXPECT_EQ(told(one_that_ends(hours(24 * 14 + 1))), Codes());
  EXPECT_EQ(told(one_that_ends(hours(24 * 14))), Codes{"warning certificate-expires"});
  EXPECT_EQ(told(one_that_ends(hours(1))), Codes{"warning certificate-expires"});
  EXPECT_EQ(told(one_that_ends(hours(0))), Codes{"error certificate-expired"});
  EXPECT_EQ(told(one_that_ends(hours(-1))), Codes{"error certificate-expired"});
  EXPECT_EQ(told({}, {{"www", "it is wrong"}}), Codes{"error certificate-unusable"});
}

config::Document document_of(std::vector<std::string> served, std::vector<std::string> listeners) {
  config::Document document;
  document.certificates["www"].name = "www";
  document.certificates["other"].name = "other";
  document.listeners["http"].name = "http";
  document.listeners["https"].name = "https";
  document.listeners["https"].tls.emplace().certificates = std::move(served);
  config::Host& host = document.hosts["h"];
  host.name = "h";
  host.names = {"www.test", "api.test", "*"};
  host.listeners = std::move(listeners);
  return document;
}

std::vector<std::string> warned(const config::Document& document, const Certificates& certificates) {
  std::vector<std::string> pointers;
  for (const config::Problem& one : certificate_warnings(document, certificates, kNow)) pointers.push_back(one.pointer);
  return pointers;
}

TEST(CertificateWarnings, AreOfNamesThatAListenerWithTlsHasNoCertificateFor) {
  using Pointers = std::vector<std::string>;
  const Certificates good = one_that_ends(hours(1000));
  EXPECT_EQ(warned(document_of({}, {}), good), Pointers{"/hosts/h/names/1"});
  EXPECT_EQ(warned(document_of({"www"}, {"https"}), good), Pointers{"/hosts/h/names/1"});
  EXPECT_EQ(warned(document_of({"other"}, {}), good), (Pointers{"/hosts/h/names/0", "/hosts/h/names/1"}));
  EXPECT_EQ(warned(document_of({}, {"http"}), good), Pointers()) << "there is no TLS there";
  EXPECT_EQ(warned(document_of({}, {"http"}), one_that_ends(hours(-1))), Pointers{"/certificates/www"});
}

}   // namespace
}   // namespace proxyd::master
