#include "master/admin/http_handler.h"

#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>

#include <algorithm>

#include "master/admin/event_stream.h"
#include "master/admin/front.h"
#include "master/admin/routes.h"
#include "shared/base/bytes.h"

namespace proxyd::admin {
namespace {

using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

constexpr size_t kMostBody = 8 * 1024 * 1024;
constexpr int kMostStreams = 64;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), ascii_lower);
  return text;
}

AdminAnswer too_large() { return problem("too-large", "a body has at most 8 MiB"); }

class OneRequest : public Poco::Net::HTTPRequestHandler {
 public:
  OneRequest(Context& context, Door door, Occupancy& occupancy)
      : context_(context), door_(door), occupancy_(occupancy) {}

  void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
    auto& socket = dynamic_cast<TimedSocket&>(*static_cast<Poco::Net::HTTPServerRequestImpl&>(request).socket().impl());
    socket.expect_body();
    AdminRequest asked = head_of(request, socket);
    std::optional<AdminAnswer> made = admit(asked, context_);
    const bool has_body =
        request.hasContentLength() ? request.getContentLength64() != 0 : request.getChunkedTransferEncoding();
    // What was not read would be taken for the next request.
    const bool reads = !made && has_body;
    if (!made && asked.route->is_stream()) return stream(asked, response);
    if (reads && request.hasContentLength() && request.getContentLength64() > static_cast<Poco::Int64>(kMostBody))
      made = too_large();
    if (!made && reads) made = read_body(request, asked, socket);
    const bool left_over = has_body && (made || !reads);
    if (!made) made = perform(asked, context_);
    record(asked, *made, context_);
    // An idle connection holds a thread, and POCO takes a broken chunk for the end of a body.
    if (left_over || !asked.identity.known() || request.getChunkedTransferEncoding()) response.setKeepAlive(false);
    send(asked, response, *made);
    if (left_over) socket.linger();
    socket.expect_head();
  }

 private:
  AdminRequest head_of(const HTTPServerRequest& request, const TimedSocket& socket) const {
    AdminRequest asked;
    asked.door = door_;
    asked.method = request.getMethod();
    const std::string& target = request.getURI();
    const size_t question = std::min(target.find('?'), target.size());
    asked.path = target.substr(0, question);
    if (question < target.size()) asked.query_text = target.substr(question + 1);
    for (const auto& [name, value] : request) {
      if (!asked.fields.emplace(lower(name), value).second) asked.repeated_fields.push_back(lower(name));
    }
    if (door_ == Door::kUnix) {
      asked.credentials = socket.credentials();
      asked.peer = asked.credentials ? "unix:" + std::to_string(asked.credentials->uid) : "unix";
    } else {
      asked.peer = request.clientAddress().host().toString();
    }
    return asked;
  }

  static std::optional<AdminAnswer> read_body(HTTPServerRequest& request, AdminRequest& asked,
                                              const TimedSocket& socket) {
    std::istream& stream = request.stream();
    std::vector<char> chunk(64 * 1024);
    while (stream.good() && asked.body.size() <= kMostBody) {
      stream.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
      asked.body.append(chunk.data(), static_cast<size_t>(stream.gcount()));
    }
    if (asked.body.size() > kMostBody) return too_large();
    if (socket.was_cut()) return problem("malformed", "the body ends before its end");
    return std::nullopt;
  }

  void stream(const AdminRequest& asked, HTTPServerResponse& response) {
    ++occupancy_.streams;
    if (context_.event_streams.fetch_add(1) < kMostStreams) {
      try {
        stream_events(asked, response, context_);
      } catch (const Poco::Exception&) {   // the client has left
      }
      response.setKeepAlive(false);
    } else {
      const AdminAnswer refused = problem("too-many-streams", "64 event streams are open already");
      record(asked, refused, context_);
      response.setKeepAlive(false);
      send(asked, response, refused);
    }
    --context_.event_streams;
    --occupancy_.streams;
  }

  static void send(const AdminRequest& asked, HTTPServerResponse& response, const AdminAnswer& made) {
    response.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(made.status));
    if (made.status != 304) response.setContentType(made.content_type);
    response.set("Cache-Control", "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : made.fields) response.set(name, value);
    if (made.status != 304) response.setContentLength64(static_cast<Poco::Int64>(made.body.size()));
    std::ostream& out = response.send();
    if (asked.method != "HEAD") out << made.body;
    out.flush();
  }

  Context& context_;
  Door door_;
  Occupancy& occupancy_;
};

}   // namespace

Poco::Net::HTTPRequestHandler* HandlerFactory::createRequestHandler(const HTTPServerRequest&) {
  return new OneRequest(context_, door_, *occupancy_);
}

}   // namespace proxyd::admin
