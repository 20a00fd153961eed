#pragma once

#include <string>
#include <string_view>

#include "worker/net/buffer_pool.h"
#include "worker/net/tcp_stream.h"
#include "worker/tls/kernel_tls.h"
#include "worker/tls/openssl.h"

namespace proxyd::tls {

// What a handshake came to. The texts of OpenSSL live as long as the process.
struct Negotiated {
  std::string_view version;   // "TLSv1.3"
  bool http2 = false;         // ALPN
  bool resumed = false;
  std::string peer_subject;   // of the certificate that the peer showed, RFC 2253; or empty
};

// TLS over a TCP stream, for either role. OpenSSL reads and writes through a BIO of our own: what it reads comes
// straight from the socket; small records leave together in one call, large ones straight from OpenSSL's buffer. Owned
// by a connection, after the TCP stream, which outlives it. Idle it holds no buffer of the pool and none of OpenSSL's.
// Nothing here suspends. An end without close_notify is kBroken, never kEnd (RFC 8446 6.1).
//
// Octets that were taken may wait here for the socket (Stream::holds_back); `push` moves them on.
//
// Where there is kernel TLS, a connection that sends 64 KiB in a row is given to it, for sending and for good: from
// then on what is written goes to the socket as it is, or is spliced, and the kernel makes records of 16 KiB. OpenSSL
// goes on reading; what it would send, alerts, is said to the kernel instead. Until then nothing is different, so that
// connections of small answers pay nothing: for those OpenSSL's one copy is cheaper than the kernel's way for a record.
class TlsStream final : public net::Stream {
 public:
  // `kernel`: null: none is used.
  TlsStream(net::TcpStream& tcp, net::BufferPool& buffers, UniqueSsl ssl, const KernelTls* kernel = nullptr);
  ~TlsStream() override;

  // One step of the handshake. kDone: the last of our flight may still be held back, to leave with the first octets
  // that are written. kFailed: an alert is on its way, if there was something to say.
  enum class Handshake : uint8_t { kDone, kReading, kWriting, kFailed };
  Handshake handshake();

  net::Moved read(char* to, size_t size) override;
  net::Moved write(std::span<const iovec> from) override;
  net::Moved push() override;
  size_t unacknowledged() const override { return tcp_.unacknowledged() + held(); }
  size_t arrived() const override { return static_cast<size_t>(SSL_pending(ssl_.get())); }
  int spliceable_descriptor() const override { return -1; }
  int descriptor_to_splice_into() const override { return by_kernel_ ? tcp_.spliceable_descriptor() : -1; }
  void spliced() override;
  // close_notify, then the end of the TCP stream as soon as everything has left.
  void end_writing() override;
  // … nor is the end said, lest a cut answer pass for a whole one.
  void abort_on_close() override;
  async::WaitReady readable(Deadline deadline) override { return tcp_.readable(deadline); }
  async::WaitReady writable(Deadline deadline) override { return tcp_.writable(deadline); }
  async::Watched& watched() override { return tcp_.watched(); }

  // Why the handshake failed, in words.
  const std::string& failure() const { return failure_; }
  // Once the handshake is done.
  Negotiated negotiated() const;
  // … and the peer has chosen HTTP/2 by ALPN.
  bool chose_http2() const;
  // From within OpenSSL's callbacks: the peer did what costs it the connection.
  void condemn() { condemned_ = true; }

 private:
  friend struct StreamBio;
  size_t held() const { return out_end_ - out_begin_; }
  bool reserve(size_t octets);
  bool write_record(const char*& data, size_t& left);
  size_t send(std::string_view records);
  size_t record_size() const;
  net::Moved fail();
  void keep_keys(const void* offered);
  bool give_to_kernel();
  net::Moved write_by_kernel(std::span<const iovec> from);
  net::Moved push_by_kernel();
  void say_alert();

  net::TcpStream& tcp_;
  net::BufferPool& buffers_;
  UniqueSsl ssl_;
  net::Buffer out_;   // records on their way
  size_t out_begin_ = 0;
  size_t out_end_ = 0;
  std::string failure_;
  const KernelTls* kernel_;
  std::unique_ptr<KernelKeys> keys_;   // which may still be given to the kernel
  Instant wrote_at_{};
  size_t written_in_a_row_ = 0;   // octets since the last pause
  uint16_t alert_ = 0;            // for the kernel to send: level, description
  uint8_t messages_ = 0;          // handshake messages since the last octet of data
  bool established_ = false;
  bool short_records_ = false;   // the peer wants them so (RFC 6066 4)
  bool straight_ = false;        // the record that is written leaves from OpenSSL's buffer
  bool failed_ = false;          // to be read
  bool write_failed_ = false;    // what has arrived may still be read
  bool condemned_ = false;
  bool ended_ = false;    // the peer's side, without close_notify
  bool ending_ = false;   // ours
  bool by_kernel_ = false;
  bool dropped_ = false;   // a record that OpenSSL made beside the kernel's
};

}   // namespace proxyd::tls
