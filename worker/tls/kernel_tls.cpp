#include "worker/tls/kernel_tls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace proxyd::tls {
namespace {

// A third of the socket's buffer, which is free when it says that it has room, holds a record of the largest size.
constexpr int kLeastSendBuffer = 64 * 1024;

uint64_t number_at(const unsigned char* octets) {
  uint64_t number = 0;
  for (size_t i = 0; i < sizeof number; ++i) number = number << 8 | octets[i];
  return number;
}

void put_number(unsigned char* octets, uint64_t number) {
  for (size_t i = sizeof number; i > 0; --i, number >>= 8) octets[i - 1] = static_cast<unsigned char>(number);
}

size_t size_of(const tls_crypto_info& offered, const KernelTlsCiphers& ciphers) {
  if (offered.version != TLS1_2_VERSION && offered.version != TLS1_3_VERSION) return 0;
  switch (offered.cipher_type) {
    case TLS_CIPHER_AES_GCM_128: return ciphers.aes_128_gcm ? sizeof(tls12_crypto_info_aes_gcm_128) : 0;
    case TLS_CIPHER_AES_GCM_256: return ciphers.aes_256_gcm ? sizeof(tls12_crypto_info_aes_gcm_256) : 0;
    case TLS_CIPHER_CHACHA20_POLY1305:
      return ciphers.chacha20_poly1305 ? sizeof(tls12_crypto_info_chacha20_poly1305) : 0;
    default: return 0;
  }
}

}   // namespace

std::unique_ptr<KernelKeys> KernelKeys::copy(const void* offered, const KernelTlsCiphers& ciphers) noexcept {
  tls_crypto_info head;
  std::memcpy(&head, offered, sizeof head);
  const size_t size = size_of(head, ciphers);
  return std::unique_ptr<KernelKeys>(size > 0 ? new (std::nothrow) KernelKeys(offered, size) : nullptr);
}

KernelKeys::KernelKeys(const void* offered, size_t size) noexcept : size_(static_cast<socklen_t>(size)) {
  std::memcpy(&parameters_, offered, size);
}

KernelKeys::~KernelKeys() { OPENSSL_cleanse(&parameters_, sizeof parameters_); }

// RFC 5288 3; RFC 8446 5.3 and RFC 7905 2 have none.
bool KernelKeys::has_nonce() const {
  return parameters_.head.version == TLS1_2_VERSION && parameters_.head.cipher_type != TLS_CIPHER_CHACHA20_POLY1305;
}

KernelKeys::Counters KernelKeys::counters() {
  switch (parameters_.head.cipher_type) {
    case TLS_CIPHER_AES_GCM_128: return {parameters_.aes128.rec_seq, has_nonce() ? parameters_.aes128.iv : nullptr};
    case TLS_CIPHER_AES_GCM_256: return {parameters_.aes256.rec_seq, has_nonce() ? parameters_.aes256.iv : nullptr};
    default: return {parameters_.chacha.rec_seq, nullptr};
  }
}

void KernelKeys::passed(std::string_view octets) noexcept {
  const size_t head = has_nonce() ? kHead + kNonce : kHead;
  while (!octets.empty()) {
    if (left_ > 0) {
      const size_t some = std::min(left_, octets.size());
      left_ -= some;
      octets.remove_prefix(some);
      continue;
    }
    head_[head_size_++] = static_cast<unsigned char>(octets.front());
    octets.remove_prefix(1);
    if (head_size_ < head) continue;
    const size_t length = static_cast<size_t>(head_[3]) << 8 | head_[4];
    left_ = length - std::min(length, head - kHead);
    head_size_ = 0;
    ++records_;
  }
}

// A nonce that was used is never given away again: OpenSSL counts them up from where it likes, so the next is one more
// than that of the last record, of which there is one at least, Finished.
bool KernelKeys::advance() noexcept {
  if (left_ > 0 || head_size_ > 0 || (has_nonce() && records_ == 0)) return false;
  const Counters at = counters();
  put_number(at.number, number_at(at.number) + records_);
  if (at.nonce) put_number(at.nonce, number_at(head_.data() + kHead) + 1);
  records_ = 0;
  return true;
}

// The first option alone changes nothing yet. It is refused when the peer has closed its side.
bool KernelKeys::give_to(int socket) noexcept {
  int buffer = 0;
  socklen_t size = sizeof buffer;
  if (::getsockopt(socket, SOL_SOCKET, SO_SNDBUF, &buffer, &size) != 0 || buffer < kLeastSendBuffer) return false;
  return advance() && ::setsockopt(socket, SOL_TCP, TCP_ULP, "tls", sizeof "tls") == 0 &&
         ::setsockopt(socket, SOL_TLS, TLS_TX, &parameters_, size_) == 0;
}

bool send_alert(int socket, uint16_t alert) {
  std::array<uint8_t, 2> octets = {static_cast<uint8_t>(alert >> 8), static_cast<uint8_t>(alert)};
  iovec part{octets.data(), octets.size()};
  alignas(cmsghdr) std::array<unsigned char, CMSG_SPACE(1)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* type = CMSG_FIRSTHDR(&message);
  type->cmsg_level = SOL_TLS;
  type->cmsg_type = TLS_SET_RECORD_TYPE;
  type->cmsg_len = CMSG_LEN(1);
  *CMSG_DATA(type) = SSL3_RT_ALERT;
  message.msg_controllen = type->cmsg_len;
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size());
}

}   // namespace proxyd::tls
