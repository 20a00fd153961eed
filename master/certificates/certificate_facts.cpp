#include "master/certificates/certificate_facts.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "shared/base/bytes.h"
#include "shared/base/digest.h"

namespace proxyd::master {
namespace {

// RFC 2253, in which whatever is not ASCII is escaped.
std::string text_of(const X509_NAME* name) {
  const BioHandle text(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253);
  return content_of(text.get());
}

std::string_view octets_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

std::string address_text(std::string_view octets) {
  char text[INET6_ADDRSTRLEN] = {};
  if (octets.size() == 4) ::inet_ntop(AF_INET, octets.data(), text, sizeof text);
  if (octets.size() == 16) ::inet_ntop(AF_INET6, octets.data(), text, sizeof text);
  return text;
}

// A name with anything in it that no host name has is nobody's.
std::string host_text(std::string_view octets) {
  std::string name(octets);
  std::transform(name.begin(), name.end(), name.begin(), ascii_lower);
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  return plain ? name : "";
}

std::vector<std::string> names_of(X509* leaf) {
  const std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> names;
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* one = sk_GENERAL_NAME_value(all.get(), i);
    std::string name;
    if (one->type == GEN_DNS) name = host_text(octets_of(one->d.dNSName));
    if (one->type == GEN_IPADD) name = address_text(octets_of(one->d.iPAddress));
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

std::string key_type_of(EVP_PKEY* key) {
  const int type = EVP_PKEY_get_base_id(key);
  if (type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS) return fmt::format("RSA {}", EVP_PKEY_get_bits(key));
  if (type == EVP_PKEY_ED25519) return "Ed25519";
  if (type != EVP_PKEY_EC) return OBJ_nid2sn(type);
  char group[64] = {};
  EVP_PKEY_get_group_name(key, group, sizeof group, nullptr);
  const char* nist = EC_curve_nid2nist(OBJ_txt2nid(group));
  return fmt::format("ECDSA {}", nist ? nist : group);
}

std::string fingerprint_of(X509* leaf) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(leaf, &der);
  if (size < 0) return {};
  const Sha256 digest = sha256({reinterpret_cast<const char*>(der), static_cast<size_t>(size)});
  OPENSSL_free(der);
  return to_hex(digest);
}

bool covers(std::string_view name, std::string_view host) {
  if (name == host) return true;
  if (!name.starts_with("*.")) return false;
  const size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 && host.substr(0, dot) != "*" && host.substr(dot) == name.substr(1);
}

}   // namespace

CertificateFacts::Time time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

CertificateFacts facts_of(X509* leaf) {
  CertificateFacts facts;
  facts.names = names_of(leaf);
  facts.subject = text_of(X509_get_subject_name(leaf));
  facts.issuer = text_of(X509_get_issuer_name(leaf));
  facts.not_before = time_of(X509_get0_notBefore(leaf));
  facts.not_after = time_of(X509_get0_notAfter(leaf));
  facts.fingerprint = fingerprint_of(leaf);
  facts.key_type = key_type_of(X509_get0_pubkey(leaf));
  return facts;
}

bool covers(const CertificateFacts& facts, std::string_view host) {
  return std::any_of(facts.names.begin(), facts.names.end(), [host](const auto& name) { return covers(name, host); });
}

}   // namespace proxyd::master
