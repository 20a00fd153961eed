#include "worker/downstream/connection.h"
#include "worker/net/proxy_protocol.h"

namespace proxyd::downstream {

// What comes before HTTP. How long it may take is what a head may take.
async::Task<void> Connection::open() {
  close_ = true;   // unless it ends well
  if (settings().proxy_protocol != config::ProxyProtocol::kOff) {
    const bool ok = co_await receive_proxy_header();
    if (!ok) co_return;
  }
  if (settings().tls) {
    const bool ok = co_await accept_tls();
    if (!ok) co_return;
  }
  if (!settings().tls && settings().protocols.h2c) {
    const bool ok = co_await look_for_preface();
    if (!ok) co_return;
  }
  opened_ = true;
  close_ = false;
}

// Only the header is taken from the socket: what follows is TLS or HTTP, and read as such.
async::Task<bool> Connection::receive_proxy_header() {
  using State = net::ProxyHeader::State;
  const Deadline deadline = Deadline::after(loop().now(), waits().client_header);
  const bool trusted = settings().trusts && settings().trusts(peer_.address());
  const auto accepted = static_cast<net::ProxyHeaderKind>(settings().proxy_protocol);
  net::Buffer buffer = services().buffers.borrow(net::BufferPool::kSizes.front());
  for (;;) {
    const net::Moved seen = tcp_.peek(buffer.data(), buffer.capacity());
    if (seen.state == net::Moved::State::kSome) {
      const net::ProxyHeader header = net::parse_proxy_header({buffer.data(), seen.octets}, accepted);
      if (!trusted && header.state == State::kAbsent) co_return true;   // speaks HTTP for itself
      if (trusted && header.state == State::kPresent) {
        if (header.source) peer_.set_address(*header.source);
        if (header.destination) peer_.local = *header.destination;
        (void)tcp_.read(buffer.data(), header.octets);
        if (seen.octets > header.octets) tcp_.watched().left_behind();
        co_return true;
      }
      if (header.state != State::kNeedMore) break;
      tcp_.watched().exhausted();
    } else if (seen.state != net::Moved::State::kWouldBlock) {
      break;
    }
    const bool ready = co_await tcp_.readable(deadline);
    if (!ready) break;
  }
  services().proxy_protocol_bad.add();
  tcp_.abort_on_close();
  co_return false;
}

// A handshake costs as much as many requests: so many a pass of the loop, and those that are served go on meanwhile.
async::Task<bool> Connection::accept_tls() {
  const Deadline deadline = Deadline::after(loop().now(), waits().client_header);
  tls_ = std::make_unique<Tls>(settings().tls, tcp_, services());
  co_await services().handshakes.next();
  const bool late = deadline.passed(loop().now());
  if (late || tcp_.watched().peer_closed()) {   // who is gone is not worth a signature
    (late ? services().tls.timeouts : services().tls.failed).add();
    co_return false;
  }
  for (;;) {
    const tls::TlsStream::Handshake step = tls_->stream.handshake();
    if (step == tls::TlsStream::Handshake::kDone) break;
    if (step == tls::TlsStream::Handshake::kFailed) {
      services().tls.failed.add();
      co_return false;
    }
    bool ready = false;
    if (step == tls::TlsStream::Handshake::kReading) {
      ready = co_await tcp_.readable(deadline);
    } else {
      ready = co_await tcp_.writable(deadline);
    }
    if (ready) continue;
    services().tls.timeouts.add();
    co_return false;
  }
  note_tls();
  co_return true;
}

// Prior knowledge (RFC 9113 3.3): a client of HTTP/2 begins with these octets, and no other does.
async::Task<bool> Connection::look_for_preface() {
  constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  const Deadline deadline = Deadline::after(loop().now(), waits().client_header);
  std::array<char, kPreface.size()> room;
  for (;;) {
    const net::Moved seen = tcp_.peek(room.data(), room.size());
    if (seen.state == net::Moved::State::kSome) {
      const std::string_view octets(room.data(), seen.octets);
      chose_http2_ = octets == kPreface;
      if (chose_http2_) co_return true;
      if (!kPreface.starts_with(octets)) {
        chose_http2_ = !settings().protocols.h1;   // whose session ends it with GOAWAY
        co_return true;
      }
      tcp_.watched().exhausted();
    } else if (seen.state != net::Moved::State::kWouldBlock) {
      co_return false;
    }
    const bool ready = co_await tcp_.readable(deadline);
    if (ready) continue;
    services().head_timeouts.add();
    co_return false;
  }
}

void Connection::note_tls() {
  tls::Negotiated negotiated = tls_->stream.negotiated();
  TlsFacts& facts = tls_->facts;
  facts = {.version = negotiated.version,
           .server_name = tls_->accepted.name.text(),
           .client_subject = std::move(negotiated.peer_subject),
           .context = tls_->context.get(),
           .accepted = &tls_->accepted};
  peer_.tls = &facts;
  chose_http2_ = negotiated.http2;
  peer_.scheme = http::Scheme::kHttps;
  (negotiated.resumed ? services().tls.resumed : services().tls.full).add();
}

}   // namespace proxyd::downstream
