#include "cli/rest/client.h"

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>
#include <fmt/format.h>

namespace proxyd::cli {
namespace {

using Poco::Net::HTTPClientSession;

// A session on a connected unix socket; POCO has a constructor for a socket that is there.
class UnixSession : public HTTPClientSession {
 public:
  explicit UnixSession(const Poco::Net::StreamSocket& socket) : HTTPClientSession(socket) {}
};

std::unique_ptr<HTTPClientSession> open_session(const std::string& address) {
  if (address.starts_with("unix:")) {
    Poco::Net::StreamSocket socket;
    socket.connect(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, address.substr(5)));
    return std::make_unique<UnixSession>(socket);
  }
  const Poco::URI uri(address);
  if (uri.getScheme() == "https") return std::make_unique<Poco::Net::HTTPSClientSession>(uri.getHost(), uri.getPort());
  return std::make_unique<HTTPClientSession>(uri.getHost(), uri.getPort());
}

Poco::Net::HTTPRequest make_request(const RestClient::Call& call, const std::string& address, const std::string& token) {
  Poco::Net::HTTPRequest request(call.method, call.path, Poco::Net::HTTPMessage::HTTP_1_1);
  if (address.starts_with("unix:")) request.setHost("localhost");
  if (!token.empty()) request.set("Authorization", "Bearer " + token);
  for (const auto& [name, value] : call.fields) request.set(name, value);
  if (!call.body.empty()) request.setContentType(call.content_type);
  if (!call.body.empty() || call.method != "GET") request.setContentLength64(static_cast<Poco::Int64>(call.body.size()));
  return request;
}

Error unreachable(const std::string& address, const std::string& why) {
  return Error{fmt::format("no proxyd answers at {}: {}", address, why)};
}

}  // namespace

Exit exit_of(const Reply& reply) {
  if (reply.ok()) return Exit::kOk;
  switch (reply.status) {
    case 401:
    case 403:
    case 421:
    case 429: return Exit::kNotAllowed;
    case 404: return Exit::kNotFound;
    case 409:
    case 412:
    case 428: return Exit::kConflict;
    case 400:
    case 413:
    case 415:
    case 422: return Exit::kInvalid;
    case 504: return Exit::kTimedOut;
    default: return Exit::kServerFailed;
  }
}

Result<Reply> RestClient::call(const Call& call) const {
  try {
    const auto session = open_session(address_);
    session->setTimeout(Poco::Timespan(call.timeout_seconds, 0));
    Poco::Net::HTTPRequest request = make_request(call, address_, token_);
    std::ostream& out = session->sendRequest(request);
    out << call.body;
    out.flush();
    Poco::Net::HTTPResponse response;
    std::istream& in = session->receiveResponse(response);
    Reply reply{static_cast<int>(response.getStatus()), "", response.get("ETag", ""), response.get("Location", "")};
    Poco::StreamCopier::copyToString(in, reply.body);
    return reply;
  } catch (const Poco::Exception& error) {
    return unreachable(address_, error.displayText());
  }
}

Result<bool> RestClient::events(const std::string& path, const std::function<bool(const std::string&, const std::string&)>& each) const {
  try {
    const auto session = open_session(address_);
    session->setTimeout(Poco::Timespan(60, 0));
    Poco::Net::HTTPRequest request = make_request({"GET", path, "", "", {}}, address_, token_);
    session->sendRequest(request);
    Poco::Net::HTTPResponse response;
    std::istream& in = session->receiveResponse(response);
    if (response.getStatus() != 200) return Error{fmt::format("the server answered {}", static_cast<int>(response.getStatus()))};
    std::string line, kind;
    while (std::getline(in, line)) {
      if (line.starts_with("event: ")) kind = line.substr(7);
      if (line.starts_with("data: ") && !each(kind, line.substr(6))) return true;
    }
    return true;
  } catch (const Poco::Exception& error) {
    return unreachable(address_, error.displayText());
  }
}

std::string encoded(const std::string& text) {
  std::string out;
  Poco::URI::encode(text, "/?#&=+:@%;,", out);
  return out;
}

}  // namespace proxyd::cli
