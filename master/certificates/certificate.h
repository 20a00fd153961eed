#pragma once

#include <string>
#include <string_view>

#include "master/certificates/certificate_facts.h"
#include "shared/base/result.h"
#include "shared/config/snapshot.h"

namespace proxyd::master {

// A certificate that is fit to be served. Its key is a secret: it goes into sealed snapshots and nowhere else.
struct CheckedCertificate {
  config::CertificateMaterial material;
  CertificateFacts facts;
  CertificateFacts::Time ocsp_until = CertificateFacts::Time::max();   // the stapled response holds
  std::string ocsp_fault;   // why the response that is there is not stapled; empty: it is, or none is there
};

struct CertificateFault {
  bool of_key = false;   // else of the chain
  std::string reason;    // finishes a sentence that begins with its file; never holds any of its content
};

// Chain and key (PEM) and a response to staple (DER, or empty) as workers can use them. Fails when one cannot be read,
// the key is encrypted or another certificate's, or a certificate is not signed by the next. Expired ones are taken.
Result<CheckedCertificate, CertificateFault> check_certificate(std::string_view chain, std::string_view key,
                                                               std::string_view ocsp);

}   // namespace proxyd::master
