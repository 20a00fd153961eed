#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "worker/async/task.h"
#include "worker/http/head.h"
#include "worker/net/content.h"

namespace proxyd::upstream {

// Why a target gave no response.
enum class Fault : uint8_t {
  kNone,
  kConnectionRefused,   // nobody listens, or no route
  kConnectionTimeout,
  kTls,                // no handshake with who answers there: see the log
  kNoHttp2,            // … or no HTTP/2: see the log
  kNoStream,           // its HTTP/2 connections took no other request in time
  kRefused,            // it says that it has not looked at the request (RFC 9113 8.7)
  kGoingAway,          // … because the connection ends, which says nothing about the target
  kNoTunnel,           // what was asked for needs HTTP/1.1, which is not spoken there
  kNoAddress,          // the name does not resolve
  kNoPort,             // this machine has no local port or descriptor left
  kClosedUnanswered,   // the connection ended or broke before the first octet of a response
  kHeadIncomplete,     // … in the middle of a head
  kCut,                // somebody here ended the request (Target::cut), which says nothing about the target
  kCutConnecting,      // … before there was a connection: nothing of it has left
  kTimeout,
  kMalformed,   // not HTTP as we accept it; see `refusal`
  kPending,     // none of these: it has not come yet
};

// What is sent to a target: everything decided, nothing of the client's bytes taken over.
struct Request {
  http::Method method = http::Method::kGet;
  std::string_view method_text;
  std::string_view target;   // path and query, "*" for OPTIONS
  std::string_view host;
  const http::Fields* fields = nullptr;
  http::ContentLength content;   // kTunnel: an upgrade to WebSocket is asked for
};

// One request to a target and its response, whatever protocol carries them; the mirror image of downstream::Exchange.
// Owned by the one who forwards. Destroying it ends it there too. In HTTP/1 its connection is given back when that can
// serve again (the response complete, nothing behind it, the request sent whole, nobody asked to close), else closed;
// in HTTP/2 its stream is reset when it has not ended, and the connection goes on.
class Exchange {
 public:
  virtual ~Exchange() = default;

  // The request's head: waits in the sink for the first content, a flush or the end. False when it is too large.
  virtual bool begin(const Request& request) = 0;
  virtual net::ContentSink& content() = 0;

  // Reads on toward the next head, interim or final: kNone when it is there, kPending when `readable` has to be
  // awaited.
  virtual Fault receive_head() = 0;
  virtual const http::ResponseHead& response() const = 0;
  // … for the one who hands it on, to make of it what the client is to see.
  virtual http::ResponseHead& response() = 0;
  virtual http::Refusal refusal() const = 0;
  virtual size_t fault_offset() const = 0;
  virtual std::string_view received_head() const = 0;
  // Octets are here that no head has been made of yet.
  virtual bool has_unread() const = 0;
  // Something has arrived, or the connection has ended.
  virtual async::WaitReady readable(Deadline deadline) = 0;

  virtual net::ContentSource& response_content() = 0;
  virtual bool complete() const = 0;

  // The connection served others before: a request that it drops unread may be sent again.
  virtual bool on_reused_connection() const = 0;
  // No octet of the request has reached the target's side.
  virtual bool request_untaken() const = 0;
  // Raised when somebody ends the request (Target::cut). Reads and writes fail then, once what has arrived is read.
  virtual async::Signal& when_cut() = 0;
};

}   // namespace proxyd::upstream
