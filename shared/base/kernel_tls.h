#pragma once

namespace proxyd {

// With which ciphers the kernel makes TLS records for a socket ("kernel TLS", its module `tls`).
struct KernelTlsCiphers {
  bool aes_128_gcm = false;
  bool aes_256_gcm = false;
  bool chacha20_poly1305 = false;
  bool any() const { return aes_128_gcm || aes_256_gcm || chacha20_poly1305; }
};

// Asks the kernel, by connections on the loopback of which nothing stays. Any process, at its start: where modules are
// there but not loaded, the question loads those of the ciphers, and `tls` if whoever asks has CAP_NET_ADMIN, and waits
// for that and for the kernel's tests of them. Afterwards nobody waits, so whoever serves must not be the first to ask.
// Never fails: what can't be asked for is not there.
KernelTlsCiphers kernel_tls_ciphers();

}   // namespace proxyd
