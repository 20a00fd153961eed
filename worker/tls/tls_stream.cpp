#include "worker/tls/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "worker/tls/certificate.h"

namespace proxyd::tls {

using net::Moved;

namespace {

// What a record adds to its content at most: header, explicit nonce or content type, tag.
constexpr size_t kRecordOverhead = 64;
constexpr size_t kBatch = 64 * 1024;   // records that leave in one call; a client that reads nothing costs no more
constexpr size_t kRecord = 16'320;     // four of them fill a batch
constexpr size_t kWorthACall = 8192;   // to copy a record that large costs more than a call of its own
// A client can use nothing of a record before its last octet: the first ones are short, so that a page begins to show
// with the first round trip; after a pause the network's window is small again.
constexpr size_t kFirstRecord = 4096;
constexpr size_t kShortRecords = 3 * kFirstRecord;
constexpr auto kPause = milliseconds(1000);
constexpr size_t kMuch = 64 * 1024;     // octets in a row that are worth the kernel's TLS
constexpr uint8_t kMostMessages = 32;   // handshake messages between data: more is a flood of KeyUpdates

}   // namespace

// OpenSSL's way to the socket.
struct StreamBio {
  static TlsStream& stream(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* to, int size) {
    TlsStream& self = stream(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0) return 0;
    const Moved moved = self.tcp_.read(to, static_cast<size_t>(size));
    switch (moved.state) {
      case Moved::State::kSome: return static_cast<int>(moved.octets);
      case Moved::State::kWouldBlock: BIO_set_retry_read(bio); return -1;
      case Moved::State::kEnd: self.ended_ = true; return 0;
      case Moved::State::kBroken: break;
    }
    self.failed_ = true;
    return -1;
  }

  static int write(BIO* bio, const char* data, int size) {
    TlsStream& self = stream(bio);
    BIO_clear_retry_flags(bio);
    if (self.by_kernel_) {
      self.dropped_ = true;
      return size;
    }
    const std::string_view records(data, static_cast<size_t>(size));
    // Else behind what waits, as an answer to a KeyUpdate may.
    const bool straight = self.straight_ && self.held() == 0;
    size_t taken = straight ? self.send(records) : 0;
    const std::string_view rest = records.substr(taken);
    if (!rest.empty() && self.reserve(rest.size())) {
      std::memcpy(self.out_.data() + self.out_end_, rest.data(), rest.size());
      self.out_end_ += rest.size();
      taken = records.size();
    }
    if (self.keys_) self.keys_->passed(records.substr(0, taken));
    if (taken < records.size()) BIO_set_retry_write(bio);
    return taken > 0 ? static_cast<int>(taken) : -1;
  }

  static long control(BIO* bio, int command, long number, void* pointer) {
    switch (command) {
      case kOfferKeys:
        if (number != 0) stream(bio).keep_keys(pointer);   // else those to receive with
        return 0;                                          // not taken: OpenSSL goes on
      case BIO_CTRL_FLUSH:
      case BIO_CTRL_DUP: return 1;
      case BIO_CTRL_EOF: return stream(bio).ended_ ? 1 : 0;
      default: return 0;
    }
  }

  static BIO_METHOD* make_method() {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "proxyd stream");
    BIO_meth_set_read(method, &StreamBio::read);
    BIO_meth_set_write(method, &StreamBio::write);
    BIO_meth_set_ctrl(method, &StreamBio::control);
    return method;
  }

  static BIO* make(TlsStream& stream) {
    static BIO_METHOD* const method = make_method();   // for the life of the process
    BIO* bio = BIO_new(method);
    if (!bio) throw std::bad_alloc();
    BIO_set_data(bio, &stream);
    BIO_set_init(bio, 1);
    return bio;
  }
};

TlsStream::TlsStream(net::TcpStream& tcp, net::BufferPool& buffers, UniqueSsl ssl, const KernelTls* kernel)
    : tcp_(tcp), buffers_(buffers), ssl_(std::move(ssl)), kernel_(kernel) {
  if (kernel_ && kernel_->ciphers.any()) SSL_set_options(ssl_.get(), SSL_OP_ENABLE_KTLS);
  BIO* bio = StreamBio::make(*this);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_info_callback(ssl_.get(), [](const SSL* ssl, int where, int value) {
    auto& self = *static_cast<TlsStream*>(SSL_get_app_data(ssl));
    if ((where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT && self.by_kernel_) {
      self.alert_ = static_cast<uint16_t>(value);
      self.dropped_ = false;   // it was this
    }
    if ((where & SSL_CB_LOOP) != 0 && self.established_) self.keys_.reset();   // it may be about new ones
    // We have refused to renegotiate: what asks for it once asks again.
    if ((where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT && (value & 0xff) == SSL_AD_NO_RENEGOTIATION) self.condemn();
    if ((where & SSL_CB_LOOP) != 0 && self.established_ && ++self.messages_ > kMostMessages) self.condemn();
  });
}

TlsStream::~TlsStream() = default;

// Room for `octets` behind what waits; false when the peer takes nothing and there is too much already.
bool TlsStream::reserve(size_t octets) {
  if (out_ && out_.capacity() - out_end_ >= octets) return true;
  if (held() + octets > net::BufferPool::kSizes.back()) return false;
  net::Buffer larger;
  try {
    larger = buffers_.borrow(held() + octets);
  } catch (const std::bad_alloc&) {   // nothing may be thrown through OpenSSL
    return false;
  }
  if (held() > 0) std::memcpy(larger.data(), out_.data() + out_begin_, held());
  out_end_ = held();
  out_begin_ = 0;
  out_ = std::move(larger);
  return true;
}

Moved TlsStream::fail() {
  failed_ = true;
  ERR_clear_error();
  if (by_kernel_) {
    say_alert();
  } else {
    (void)push();   // the alert
  }
  return {Moved::State::kBroken};
}

TlsStream::Handshake TlsStream::handshake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  set_holds_back(held() > 0);
  if (done == 1) {
    established_ = true;
    const bool goes_on = SSL_has_pending(ssl_.get()) == 1;
    if (goes_on) tcp_.watched().left_behind();
    // In TLS 1.3 tickets may wait for the answer to what is here already. Else they leave now: a client whose kernel
    // holds its request back until its Finished is acknowledged would wait 40 ms for that.
    if (!goes_on || SSL_version(ssl_.get()) < TLS1_3_VERSION) (void)push();
    return failed_ || write_failed_ ? Handshake::kFailed : Handshake::kDone;
  }
  const int error = SSL_get_error(ssl_.get(), done);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    const Moved pushed = push();
    if (pushed.state == Moved::State::kBroken) return Handshake::kFailed;
    return holds_back() ? Handshake::kWriting : Handshake::kReading;
  }
  const long verified = SSL_get_verify_result(ssl_.get());
  failure_ = ended_ ? "the peer ended the connection" : openssl_error();
  if (verified != X509_V_OK) failure_ = X509_verify_cert_error_string(verified);
  failed_ = true;
  (void)push();
  return Handshake::kFailed;
}

bool TlsStream::chose_http2() const {
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
  return std::string_view(reinterpret_cast<const char*>(protocol), size) == "h2";
}

Negotiated TlsStream::negotiated() const {
  return {SSL_get_version(ssl_.get()), chose_http2(), SSL_session_reused(ssl_.get()) == 1, peer_subject(ssl_.get())};
}

// The flag of the socket says whether there is more: it stays up as long as OpenSSL has read ahead.
Moved TlsStream::read(char* to, size_t size) {
  if (failed_) return {Moved::State::kBroken};
  if (!tcp_.watched().readable()) return {Moved::State::kWouldBlock};
  ERR_clear_error();
  size_t got = 0;
  const int done = SSL_read_ex(ssl_.get(), to, size, &got);
  if (held() > 0) set_holds_back(true);   // an answer to a KeyUpdate leaves with what is written next
  if (by_kernel_ && (dropped_ || SSL_get_key_update_type(ssl_.get()) != SSL_KEY_UPDATE_NONE)) {
    // The peer asks for new keys: no octet may follow under the old ones (RFC 8446 4.6.3), and the kernel has no other.
    kernel_->cut.add();
    condemned_ = true;
  }
  if (condemned_) {
    abort_on_close();
    return fail();
  }
  if (done == 1) {
    messages_ = 0;
    if (SSL_has_pending(ssl_.get())) tcp_.watched().left_behind();
    return {Moved::State::kSome, got};
  }
  switch (SSL_get_error(ssl_.get(), done)) {
    case SSL_ERROR_WANT_READ: return {Moved::State::kWouldBlock};
    case SSL_ERROR_ZERO_RETURN: return {Moved::State::kEnd};
    default: return fail();
  }
}

size_t TlsStream::record_size() const {
  if (written_in_a_row_ >= kShortRecords) return kRecord;
  return kFirstRecord;
}

// One record into the buffer. False when it can't be made.
bool TlsStream::write_record(const char*& data, size_t& left) {
  const size_t size = std::min(left, record_size());
  size_t written = 0;
  ERR_clear_error();
  if (SSL_write_ex(ssl_.get(), data, size, &written) != 1) return false;
  data += written;
  left -= written;
  written_in_a_row_ += written;
  return true;
}

Moved TlsStream::write(std::span<const iovec> from) {
  if (failed_ || write_failed_) return {Moved::State::kBroken};
  const Instant now = tcp_.watched().loop().now();
  if (now - wrote_at_ >= kPause) written_in_a_row_ = 0;
  wrote_at_ = now;
  size_t wanted = 0;
  for (const iovec& part : from) wanted += part.iov_len;
  if (wanted <= kFirstRecord) written_in_a_row_ = 0;   // a short answer says nothing about the network's window
  if (by_kernel_ || (keys_ && written_in_a_row_ + wanted >= kMuch && give_to_kernel())) return write_by_kernel(from);
  size_t taken = 0;
  for (const iovec& part : from) {
    const char* data = static_cast<const char*>(part.iov_base);
    for (size_t left = part.iov_len; left > 0;) {
      if (held() + std::min(left, record_size()) + kRecordOverhead > kBatch) {
        const Moved pushed = push();
        if (pushed.state == Moved::State::kBroken) return pushed;
        if (holds_back()) return taken > 0 ? Moved{Moved::State::kSome, taken} : Moved{Moved::State::kWouldBlock};
      }
      // All at once, so that the buffer is borrowed in the size that it will need.
      const size_t room = std::min(wanted - taken + wanted / 128 + 2 * kRecordOverhead, kBatch - held());
      const size_t size = std::min(left, record_size());
      straight_ = held() == 0 && !short_records_ && (size >= kWorthACall || size == wanted - taken);
      if (!straight_ && !out_ && !reserve(room)) return fail();
      const size_t before = left;
      const bool written = write_record(data, left);
      const bool went_straight = std::exchange(straight_, false);
      if (!written) return fail();
      if (write_failed_) return {Moved::State::kBroken};
      short_records_ = short_records_ || before - left < size;
      taken += before - left;
      if (went_straight && held() > 0) {   // the socket is full
        set_holds_back(true);
        return {Moved::State::kSome, taken};
      }
    }
  }
  if (push().state == Moved::State::kBroken) return {Moved::State::kBroken};
  return {Moved::State::kSome, taken};
}

void TlsStream::keep_keys(const void* offered) { keys_ = KernelKeys::copy(offered, kernel_->ciphers); }

// What OpenSSL made must have left before; a socket that takes no more is asked again with the next write.
bool TlsStream::give_to_kernel() {
  if (push().state == Moved::State::kBroken || held() > 0) return false;
  const std::unique_ptr<KernelKeys> keys = std::move(keys_);
  by_kernel_ = keys->give_to(tcp_.spliceable_descriptor());
  (by_kernel_ ? kernel_->given : kernel_->refused).add();
  return by_kernel_;
}

Moved TlsStream::write_by_kernel(std::span<const iovec> from) {
  const Moved moved = tcp_.write(from);
  if (moved.state == Moved::State::kBroken) write_failed_ = true;
  if (moved.state == Moved::State::kSome) spliced();
  return moved;
}

// The kernel takes a record before TCP has room for it, and what waits between the two is lost when the socket is
// closed or its sending side is shut. Once a third of TCP's buffer is free it does not wait any more when the next
// record has been taken, which is close_notify at the latest.
void TlsStream::spliced() {
  if (by_kernel_) set_holds_back(!tcp_.has_room());
}

void TlsStream::say_alert() {
  if (alert_ == 0 || write_failed_) return;
  if (send_alert(tcp_.spliceable_descriptor(), alert_)) {
    alert_ = 0;
    if (ending_) tcp_.end_writing();
  } else if (errno == EAGAIN) {
    tcp_.watched().filled();
    set_holds_back(true);
  } else {
    write_failed_ = true;
  }
}

Moved TlsStream::push_by_kernel() {
  if (!write_failed_) spliced();
  if (!holds_back()) say_alert();
  return {write_failed_ ? Moved::State::kBroken : Moved::State::kSome};
}

// As much as the socket takes; where it is broken that is everything, for nobody gets the rest.
size_t TlsStream::send(std::string_view records) {
  size_t sent = 0;
  while (sent < records.size()) {
    const iovec part{const_cast<char*>(records.data()) + sent, records.size() - sent};
    const Moved moved = tcp_.write({&part, 1});
    if (moved.state == Moved::State::kWouldBlock) break;
    write_failed_ = write_failed_ || moved.state == Moved::State::kBroken;
    sent = write_failed_ ? records.size() : sent + moved.octets;
  }
  return sent;
}

Moved TlsStream::push() {
  if (by_kernel_) return push_by_kernel();
  if (held() > 0) out_begin_ += send({out_.data() + out_begin_, held()});
  if (held() == 0) {
    out_.release();
    out_begin_ = out_end_ = 0;
    if (ending_) tcp_.end_writing();
  }
  set_holds_back(held() > 0);
  return {write_failed_ ? Moved::State::kBroken : Moved::State::kSome};
}

void TlsStream::abort_on_close() {
  write_failed_ = true;
  out_.release();
  out_begin_ = out_end_ = 0;
  set_holds_back(false);
  tcp_.abort_on_close();
}

void TlsStream::end_writing() {
  if (failed_ || write_failed_ || ending_) return;
  ending_ = true;
  if (by_kernel_) {
    alert_ = SSL3_AL_WARNING << 8 | SSL_AD_CLOSE_NOTIFY;
  } else {
    ERR_clear_error();
    (void)SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  (void)push();
}

}   // namespace proxyd::tls
