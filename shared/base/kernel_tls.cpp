#include "shared/base/kernel_tls.h"

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "shared/base/unique_fd.h"

namespace proxyd {
namespace {

// A listener that nobody accepts from: to the kernel its clients are connected all the same, as the options want it.
class Loopback {
 public:
  Loopback() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    at_.sin_family = AF_INET;
    at_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at_;
    listens_ = listener_ && ::bind(listener_.value(), address(), size) == 0 && ::listen(listener_.value(), 8) == 0 &&
               ::getsockname(listener_.value(), address(), &size) == 0;
  }

  // A connected socket that takes TLS' options; none where the kernel has no TLS.
  UniqueFd connected() {
    UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const bool takes = listens_ && client && ::connect(client.value(), address(), sizeof at_) == 0 &&
                       ::setsockopt(client.value(), SOL_TCP, TCP_ULP, "tls", sizeof "tls") == 0;
    return takes ? std::move(client) : UniqueFd();
  }

  // Keys of zeros do for the question.
  template <class Parameters>
  bool takes(uint16_t cipher) {
    Parameters parameters{};
    parameters.info.version = TLS_1_3_VERSION;
    parameters.info.cipher_type = cipher;
    const UniqueFd client = connected();
    return client && ::setsockopt(client.value(), SOL_TLS, TLS_TX, &parameters, sizeof parameters) == 0;
  }

 private:
  sockaddr* address() { return reinterpret_cast<sockaddr*>(&at_); }

  UniqueFd listener_;
  sockaddr_in at_{};
  bool listens_ = false;
};

}   // namespace

KernelTlsCiphers kernel_tls_ciphers() {
  Loopback loopback;
  if (!loopback.connected()) return {};   // asked once, for it may start a program that looks for the module
  return {loopback.takes<tls12_crypto_info_aes_gcm_128>(TLS_CIPHER_AES_GCM_128),
          loopback.takes<tls12_crypto_info_aes_gcm_256>(TLS_CIPHER_AES_GCM_256),
          loopback.takes<tls12_crypto_info_chacha20_poly1305>(TLS_CIPHER_CHACHA20_POLY1305)};
}

}   // namespace proxyd
