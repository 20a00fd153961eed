#include "master/certificates/ocsp_response.h"

#include <fmt/format.h>
#include <openssl/ocsp.h>

#include "master/certificates/certificate_facts.h"

namespace proxyd::master {
namespace {

constexpr long kClockSkew = 300;   // seconds

using ResponseHandle = std::unique_ptr<OCSP_RESPONSE, Freer<OCSP_RESPONSE_free>>;
using AnswerHandle = std::unique_ptr<OCSP_BASICRESP, Freer<OCSP_BASICRESP_free>>;
using SubjectHandle = std::unique_ptr<OCSP_CERTID, Freer<OCSP_CERTID_free>>;
using TrustHandle = std::unique_ptr<X509_STORE, Freer<X509_STORE_free>>;

// The part of the answer that is about `leaf`: it names it by digests of its own choice.
OCSP_SINGLERESP* part_about(OCSP_BASICRESP* answer, X509* leaf, X509* issuer) {
  for (int i = 0; i < OCSP_resp_count(answer); ++i) {
    OCSP_SINGLERESP* one = OCSP_resp_get0(answer, i);
    auto* subject = const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(one));
    ASN1_OBJECT* digest = nullptr;
    OCSP_id_get0_info(nullptr, &digest, nullptr, nullptr, subject);
    const EVP_MD* known = digest ? EVP_get_digestbyobj(digest) : nullptr;
    const SubjectHandle mine(known ? OCSP_cert_to_id(known, leaf, issuer) : nullptr);
    if (mine && OCSP_id_cmp(mine.get(), subject) == 0) return one;
  }
  return nullptr;
}

bool is_signed(OCSP_BASICRESP* answer, X509* issuer) {
  const TrustHandle trust(X509_STORE_new());
  X509_STORE_add_cert(trust.get(), issuer);
  X509_STORE_set_flags(trust.get(), X509_V_FLAG_PARTIAL_CHAIN);
  STACK_OF(X509)* signers = sk_X509_new_null();
  sk_X509_push(signers, issuer);
  const int verified = OCSP_basic_verify(answer, signers, trust.get(), 0);
  sk_X509_free(signers);
  return verified == 1;
}

}   // namespace

Result<std::chrono::system_clock::time_point> check_ocsp(std::string_view der, X509* leaf, X509* issuer) {
  ERR_clear_error();
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* end = data + der.size();
  const ResponseHandle response(d2i_OCSP_RESPONSE(nullptr, &data, static_cast<long>(der.size())));
  if (!response || data != end) return Error{"is no OCSP response in DER"};
  const int status = OCSP_response_status(response.get());
  if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    return Error{fmt::format("is the error '{}'", OCSP_response_status_str(status))};
  const AnswerHandle answer(OCSP_response_get1_basic(response.get()));
  if (!answer) return Error{"is no OCSP response that is known"};
  OCSP_SINGLERESP* about = part_about(answer.get(), leaf, issuer);
  if (!about) return Error{"is about another certificate"};
  if (!is_signed(answer.get(), issuer)) return Error{fmt::format("is not signed by the issuer: {}", openssl_reason())};
  ASN1_GENERALIZEDTIME* from = nullptr;
  ASN1_GENERALIZEDTIME* until = nullptr;
  const int state = OCSP_single_get0_status(about, nullptr, nullptr, &from, &until);
  if (state != V_OCSP_CERTSTATUS_GOOD)
    return Error{fmt::format("says that the certificate is {}", OCSP_cert_status_str(state))};
  if (OCSP_check_validity(from, until, kClockSkew, -1) != 1)
    return Error{fmt::format("does not hold now: {}", openssl_reason())};
  return until ? time_of(until) : std::chrono::system_clock::time_point::max();
}

}   // namespace proxyd::master
