#include "master/certificates/certificate.h"

#include <gtest/gtest.h>

#include "master/certificates/certificate_files.h"
#include "master/certificates/pem.h"
#include "tests/unit/master/certificates/made_certificates.h"

namespace proxyd::master {
namespace {

std::string made(const std::string& name) { return MadeCertificates::all().content(name); }

Result<CheckedCertificate, CertificateFault> check(const std::string& chain, const std::string& key,
                                                   const std::string& ocsp = "") {
  return check_certificate(chain, key, ocsp);
}

// What is refused, and in which words.
void expect_fault(const std::string& chain, const std::string& key, bool of_key, const std::string& part) {
  const auto checked = check(chain, key);
  ASSERT_FALSE(checked) << part;
  EXPECT_EQ(checked.error().of_key, of_key) << checked.error().reason;
  EXPECT_NE(checked.error().reason.find(part), std::string::npos) << checked.error().reason;
}

TEST(Certificate, ThatIsFitIsKeptWithWhatPeopleAreToldOfIt) {
  const auto checked = check(made("site.pem"), made("site.key"));
  ASSERT_TRUE(checked) << checked.error().reason;
  EXPECT_EQ(checked->material.chain, made("site.pem"));
  EXPECT_EQ(checked->material.private_key, made("site.key"));
  EXPECT_EQ(checked->material.ocsp, "");
  const std::vector<std::string> names = {"www.test", "*.shop.test", "192.0.2.1", "2001:db8::1"};
  EXPECT_EQ(checked->facts.names, names);
  EXPECT_EQ(checked->facts.subject, "CN=www.test");
  EXPECT_EQ(checked->facts.issuer, "CN=middle");
  EXPECT_EQ(checked->facts.key_type, "ECDSA P-256");
  EXPECT_EQ(checked->facts.fingerprint.size(), 64u);
  const auto left = checked->facts.not_after - std::chrono::system_clock::now();
  EXPECT_GT(left, std::chrono::hours(24 * 89));
  EXPECT_LE(left, std::chrono::hours(24 * 90));
}

TEST(Certificate, MayHaveAnRsaKeyOrOneInTheOldForm) {
  const auto rsa = check(made("rsa.pem"), made("rsa.key"));
  ASSERT_TRUE(rsa) << rsa.error().reason;
  EXPECT_EQ(rsa->facts.key_type, "RSA 2048");
  const auto old = check(made("site.pem"), made("traditional.key"));
  ASSERT_TRUE(old) << old.error().reason;
  EXPECT_EQ(old->material.private_key, made("site.key"));
}

TEST(Certificate, AndItsKeyMayLieInOneFileAmongOtherText) {
  const std::string both =
      "Bag attributes \xE9\n" + made("site.key") + "subject=/CN=www\n" + made("site.pem") + "end\n";
  const auto checked = check(both, both);
  ASSERT_TRUE(checked) << checked.error().reason;
  EXPECT_EQ(checked->material.chain, made("site.pem")) << "what is not PEM is left out";
}

TEST(Certificate, ThatHasExpiredIsTaken) {
  const auto checked = check(made("expired.pem"), made("expired.key"));
  ASSERT_TRUE(checked) << checked.error().reason;
  EXPECT_LT(checked->facts.not_after, std::chrono::system_clock::now());
}

TEST(Certificate, IsRefusedInWordsThatSayWhatIsWrong) {
  const std::string site = made("site.pem");
  const std::string key = made("site.key");
  expect_fault("", key, false, "holds no certificate in PEM");
  expect_fault(key, key, false, "holds no certificate in PEM");
  expect_fault(site.substr(0, site.size() / 3), key, false, "cannot be read");
  expect_fault(site, "", true, "holds no private key in PEM");
  expect_fault(site, site, true, "holds no private key in PEM");
  expect_fault(site, key.substr(0, key.size() / 2), true, "private key");
  expect_fault(site, made("encrypted.key"), true, "is encrypted");
  expect_fault(site, made("rsa.key"), true, "the key of another certificate");
  expect_fault(made("middle.pem") + site, key, true, "the key of another certificate");
  expect_fault(site + made("site.pem"), key, false, "wrong order: number 2");
  expect_fault(made("rsa.pem") + made("middle.pem"), made("rsa.key"), false, "wrong order: number 1 (CN=rsa.test)");
  expect_fault(made("weak.pem"), made("weak.key"), false, "cannot be served");
}

TEST(Certificate, ThatEndsInItsRootIsTaken) {
  const auto checked = check(made("site.pem") + made("root.pem"), made("site.key"));
  EXPECT_TRUE(checked) << checked.error().reason;
}

TEST(OcspResponse, IsStapledWhenItIsGoodForTheLeafAndElseSaidWhyNot) {
  const auto good = check(made("site.pem"), made("site.key"), made("good.ocsp"));
  ASSERT_TRUE(good) << good.error().reason;
  EXPECT_EQ(good->material.ocsp, made("good.ocsp"));
  EXPECT_EQ(good->ocsp_fault, "");
  const std::pair<std::string, const char*> wrong[] = {{made("other.ocsp"), "another certificate"},
                                                       {made("revoked.ocsp"), "revoked"},
                                                       {made("good.ocsp") + "x", "no OCSP response"},
                                                       {"text", "no OCSP response"}};
  for (const auto& [response, part] : wrong) {
    const auto checked = check(made("site.pem"), made("site.key"), response);
    ASSERT_TRUE(checked) << part;
    EXPECT_EQ(checked->material.ocsp, "") << part;
    EXPECT_NE(checked->ocsp_fault.find(part), std::string::npos) << checked->ocsp_fault;
  }
}

TEST(OcspResponse, ThatWasTamperedWithIsNotStapled) {
  std::string response = made("good.ocsp");
  const size_t produced_at = response.find("20");   // the year, below what is signed
  ASSERT_NE(produced_at, std::string::npos);
  response[produced_at + 3] = response[produced_at + 3] == '9' ? '8' : '9';
  const auto checked = check(made("site.pem"), made("site.key"), response);
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->material.ocsp, "");
  EXPECT_NE(checked->ocsp_fault, "");
}

TEST(CertificateNames, CoverAHostExactlyOrByOneLabel) {
  const CertificateFacts facts{.names = {"www.test", "*.shop.test"}};
  for (const char* host : {"www.test", "a.shop.test", "*.shop.test"}) EXPECT_TRUE(covers(facts, host)) << host;
  for (const char* host : {"test", "shop.test", "a.b.shop.test", "*.www.test", ".shop.test", "wwww.test", ""})
    EXPECT_FALSE(covers(facts, host)) << host;
}

TEST(CertificateFiles, AreReadWithTheResponseBesideThem) {
  const MadeCertificates& files = MadeCertificates::all();
  const std::string beside = files.path("site.pem.ocsp");
  std::filesystem::copy_file(files.path("good.ocsp"), beside, std::filesystem::copy_options::overwrite_existing);
  const auto checked = read_certificate_files({"www", files.path("site.pem"), files.path("site.key"), false});
  std::filesystem::remove(beside);
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(checked->material.ocsp, files.content("good.ocsp"));
}

TEST(CertificateFiles, ThatAreWrongAreNamedWithTheirCertificateAndWhereItIsSaid) {
  const MadeCertificates& files = MadeCertificates::all();
  struct Case {
    std::string certificate;
    std::string key;
    std::string pointer;
    std::string named;
  };
  const Case cases[] = {
      {"/nowhere.pem", files.path("site.key"), "/certificates/www/certificate_file", "/nowhere.pem"},
      {files.path("site.pem"), files.path(""), "/certificates/www/private_key_file", "no plain file"},
      {files.path("site.pem"), files.path("rsa.key"), "/certificates/www/private_key_file", files.path("rsa.key")},
      {files.path("site.key"), files.path("site.key"), "/certificates/www/certificate_file", files.path("site.key")}};
  for (const Case& one : cases) {
    const auto checked = read_certificate_files({"www", one.certificate, one.key, false});
    ASSERT_FALSE(checked) << one.named;
    EXPECT_EQ(checked.error().pointer, one.pointer);
    for (const std::string& part : {std::string("certificate 'www'"), one.named})
      EXPECT_NE(checked.error().message.find(part), std::string::npos) << checked.error().message;
  }
}

TEST(Authorities, AreCertificatesAndNothingElse) {
  const auto both = authorities_of("a remark\n" + made("root.pem") + made("middle.pem") + made("site.key"));
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(*both, made("root.pem") + made("middle.pem"));
  EXPECT_FALSE(authorities_of(made("site.key")));
}

}   // namespace
}   // namespace proxyd::master
