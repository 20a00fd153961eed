#pragma once

#include <linux/tls.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "shared/base/kernel_tls.h"
#include "shared/metrics/metrics_region.h"

namespace proxyd::tls {

// Kernel TLS for the connections of one worker: for which ciphers there is any, and what came of it. A value; lies with
// the worker's services.
struct KernelTls {
  KernelTlsCiphers ciphers;
  metrics::Cell given;     // connections whose records the kernel makes
  metrics::Cell refused;   // it would not: our records go on
  metrics::Cell cut;       // connections ended because the peer asked for new keys, which the kernel can't change
};

// The command by which OpenSSL offers the keys that it sends with to a BIO, with SSL_OP_ENABLE_KTLS (BIO_set_ktls);
// only a comment of its public headers tells the number.
inline constexpr int kOfferKeys = 72;

// The keys of one connection for sending, as OpenSSL offered them at the end of the handshake, kept until the kernel is
// to go on with them: each record that OpenSSL has made since has used up a number, and with it a nonce, so all octets
// that it writes are shown to `passed`. Owned by the connection's TlsStream; wiped when destroyed. AES-GCM and
// ChaCha20-Poly1305 of TLS 1.2 and 1.3; nothing suspends or throws.
class KernelKeys {
 public:
  // What setsockopt(SOL_TLS, TLS_TX) takes.
  union Parameters {
    tls_crypto_info head;
    tls12_crypto_info_aes_gcm_128 aes128;
    tls12_crypto_info_aes_gcm_256 aes256;
    tls12_crypto_info_chacha20_poly1305 chacha;
  };

  // Copies what was offered. Null for a cipher that is not among these, or without memory.
  static std::unique_ptr<KernelKeys> copy(const void* offered, const KernelTlsCiphers& ciphers) noexcept;
  explicit KernelKeys(const void* offered, size_t size) noexcept;
  KernelKeys(const KernelKeys&) = delete;
  KernelKeys& operator=(const KernelKeys&) = delete;
  ~KernelKeys();

  // OpenSSL has written these octets, of whole records or not.
  void passed(std::string_view octets) noexcept;
  // For the record after the last that passed; false in the middle of one.
  bool advance() noexcept;
  const Parameters& parameters() const { return parameters_; }
  socklen_t size() const { return size_; }
  // Advances, and lets the kernel make the records that are written to the socket from now on, for good. False: as
  // before.
  bool give_to(int socket) noexcept;

 private:
  static constexpr size_t kHead = 5;
  static constexpr size_t kNonce = 8;
  struct Counters {
    unsigned char* number;
    unsigned char* nonce;   // that each record carries; null when it follows from the number
  };

  Counters counters();
  bool has_nonce() const;

  Parameters parameters_{};
  socklen_t size_;
  std::array<unsigned char, kHead + kNonce> head_{};   // of the last record
  size_t head_size_ = 0;                               // when it is not whole
  size_t left_ = 0;                                    // of that record
  uint64_t records_ = 0;                               // since `parameters_`
};

// An alert, level and description, as a record of the kernel's; errno tells why it did not go.
bool send_alert(int socket, uint16_t alert);

}   // namespace proxyd::tls
