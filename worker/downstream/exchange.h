#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "shared/base/clock.h"
#include "worker/async/task.h"
#include "worker/http/head.h"
#include "worker/http1/head_parser.h"
#include "worker/net/address.h"
#include "worker/net/content.h"

namespace proxyd::tls {
class ServerContext;
struct Accepted;
}   // namespace proxyd::tls

namespace proxyd::downstream {

// What the handshake of a connection came to. Lies in the connection.
struct TlsFacts {
  std::string_view version;       // "TLSv1.3"
  std::string_view server_name;   // that the client asked for; may be empty
  std::string client_subject;     // of the certificate it showed, RFC 2253; may be empty
  const tls::ServerContext* context = nullptr;
  const tls::Accepted* accepted = nullptr;
};

// Who is at the other end, as far as the connection knows: the peer of the socket, or whom a trusted PROXY header
// names.
class Peer {
 public:
  const net::Address& address() const { return address_; }
  void set_address(const net::Address& address) {
    address_ = address;
    std::array<char, 48> room;
    text_size_ = static_cast<uint8_t>(address_.format_ip(room).copy(text_.data(), text_.size()));
  }
  // The address without its port, in words.
  std::string_view text() const { return {text_.data(), text_size_}; }

  net::Address local;          // where it connected to
  std::string_view listener;   // name; lives as long as the connection
  http::Scheme scheme = http::Scheme::kHttp;
  const TlsFacts* tls = nullptr;   // null: cleartext

 private:
  net::Address address_;
  std::array<char, 48> text_{};
  uint8_t text_size_ = 0;
};

// How long a connection waits: for its next request, from there for the end of that one's head, and for a client that
// does not take what it is sent. Nothing: for ever.
struct Waits {
  std::optional<milliseconds> keepalive;
  std::optional<milliseconds> client_header;
  std::optional<milliseconds> client_write;

  bool operator==(const Waits&) const = default;
};

// A final answer's head.
struct Answer {
  int status = 0;
  std::string_view reason;                   // empty: the registered phrase
  std::span<const std::string_view> lines;   // of fields, ready to send as HTTP/1 writes them; before `fields`
  const http::Fields* fields = nullptr;      // null: there are no others
  http::ContentLength content;
  bool close = false;             // the connection must not live on
  const Waits* waits = nullptr;   // from here on, for a connection that makes one request at a time
};

// One request of a client and its answer, whatever protocol carries them; never a connection. Owned by the connection,
// used by the request's path, in the worker. Only what says so suspends. After `reset` or a gone peer every call is
// harmless.
class Exchange {
 public:
  virtual ~Exchange() = default;

  // The checked request; when `fault` says that it was refused, only what had been parsed.
  virtual const http::RequestHead& request() const = 0;
  // Its fields, for who takes out what was meant for us alone.
  virtual http::Fields& request_fields() = 0;
  virtual http1::Fault fault() const = 0;
  virtual const Peer& peer() const = 0;
  // The octets of the head as received, for the record of a refused message.
  virtual std::string_view received_head() const = 0;
  // Memory that lives as long as the exchange.
  virtual http::Arena& arena() = 0;

  // The request's content. It is not touched before someone asks for it; then a client that waits for 100 (Continue)
  // is told to go on.
  virtual net::ContentSource& content() = 0;
  // True while the client waits for 100 (Continue) and has sent nothing of the content.
  virtual bool awaits_continue() const = 0;
  // Why the content was refused, and what had been received from the wrong octet on.
  virtual http::Refusal content_refusal() const = 0;
  virtual std::string_view content_fault() = 0;
  virtual uint64_t content_received() const = 0;

  // An interim answer (1xx), dropped for a client that does not know them (RFC 9110 15.2).
  virtual void send_interim(const http::ResponseHead& head) = 0;
  // The final head: waits for the first of the content, a flush or the end. False when it does not fit in memory.
  virtual bool begin(const Answer& answer) = 0;
  virtual bool begun() const = 0;
  virtual net::ContentSink& sink() = 0;
  // Cuts the answer so that the client cannot take it for whole.
  virtual void reset() = 0;
  virtual uint64_t octets_sent() const = 0;
};

// What answers requests: the proxy. Owned by the worker and outlives every connection.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;

  // Answers one request, whatever becomes of it. Destroying the task abandons the request; it is logged all the same.
  virtual async::Task<void> handle(Exchange& exchange) = 0;
};

}   // namespace proxyd::downstream
