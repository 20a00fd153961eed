#include "master/certificates/cipher_list.h"

#include <fmt/format.h>

#include "master/certificates/openssl_handles.h"

namespace proxyd::master {
namespace {

// OpenSSL passes over what it does not know as long as something is left.
bool is_known(SSL_CTX* context, const std::string& element) {
  const std::string name = element.substr(std::min(element.find_first_not_of("!-+"), element.size()));
  const bool taken = name.starts_with('@') || (!name.empty() && SSL_CTX_set_cipher_list(context, name.c_str()) == 1);
  ERR_clear_error();
  return taken;
}

}   // namespace

Result<void> check_ciphers(const std::string& ciphers) {
  constexpr const char* kSeparators = ":, ;";
  const ContextHandle context(SSL_CTX_new(TLS_server_method()));
  for (size_t at = 0; at < ciphers.size();) {
    const size_t end = std::min(ciphers.find_first_of(kSeparators, at), ciphers.size());
    const std::string element = ciphers.substr(at, end - at);
    if (!element.empty() && !is_known(context.get(), element))
      return Error{
          fmt::format("'{}' is no TLS 1.2 cipher that this OpenSSL has: see `openssl ciphers -tls1_2`", element)};
    at = end + 1;
  }
  if (SSL_CTX_set_cipher_list(context.get(), ciphers.c_str()) != 1)
    return Error{fmt::format("'{}' allows no cipher of TLS 1.2: {}", ciphers, openssl_reason())};
  const STACK_OF(SSL_CIPHER)* allowed = SSL_CTX_get_ciphers(context.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(allowed); ++i) {
    const SSL_CIPHER* one = sk_SSL_CIPHER_value(allowed, i);
    const bool open = SSL_CIPHER_get_cipher_nid(one) == NID_undef && SSL_CIPHER_get_bits(one, nullptr) == 0;
    if (open || SSL_CIPHER_get_auth_nid(one) == NID_auth_null)
      return Error{fmt::format("'{}' allows {}, which {}", ciphers, SSL_CIPHER_get_name(one),
                               open ? "encrypts nothing" : "takes no certificate")};
  }
  return {};
}

}   // namespace proxyd::master
