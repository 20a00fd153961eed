#include "cli/rest/client.h"

#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>
#include <fmt/format.h>

#include "cli/rest/connection.h"

namespace proxyd::cli {
namespace {

Poco::Net::HTTPRequest make_request(const RestClient::Call& call, const std::string& address,
                                    const std::string& token) {
  Poco::Net::HTTPRequest request(call.method, call.path, Poco::Net::HTTPMessage::HTTP_1_1);
  if (address.starts_with("unix:")) request.setHost("localhost");
  if (!token.empty()) request.set("Authorization", "Bearer " + token);
  for (const auto& [name, value] : call.fields) request.set(name, value);
  if (!call.body.empty()) request.setContentType(call.content_type);
  if (!call.body.empty() || call.method != "GET")
    request.setContentLength64(static_cast<Poco::Int64>(call.body.size()));
  return request;
}

CallFailure silent(const std::string& address, int seconds, bool changes) {
  return {Exit::kTimedOut,
          fmt::format("{} did not answer within {} s{}", address, seconds,
                      changes ? "; whether it was done is unknown" : ""),
          changes ? "look with: proxyctl config history, proxyctl status" : "try again, or look at proxyd's log"};
}

CallFailure broken(const std::string& address, const std::string& why) {
  return {Exit::kUnreachable, fmt::format("the answer of {} broke off: {}", address, why),
          "see whether it runs: proxyctl status"};
}

Reply read_reply(Poco::Net::HTTPResponse& response, std::istream& in) {
  Reply reply{static_cast<int>(response.getStatus()), "", response.getContentType(), response.get("ETag", ""),
              response.get("Location", "")};
  Poco::StreamCopier::copyToString(in, reply.body);
  const bool cut =
      response.hasContentLength() && response.getContentLength64() > static_cast<Poco::Int64>(reply.body.size());
  if (cut) throw Poco::Net::MessageException("it is shorter than it says");
  return reply;
}

}   // namespace

Exit exit_of(const Reply& reply) {
  if (reply.ok()) return Exit::kOk;
  switch (reply.status) {
    case 401:
    case 403:
    case 421:
    case 429: return Exit::kNotAllowed;
    case 404: return Exit::kNotFound;
    case 405: return Exit::kUsage;
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

Result<Reply, CallFailure> RestClient::call(const Call& call) const {
  auto session = connect(address_, call.timeout_seconds * 1000);
  if (!session) return session.error();
  const bool changes = call.method != "GET";
  try {
    Poco::Net::HTTPRequest request = make_request(call, address_, token_);
    std::ostream& out = (*session)->sendRequest(request);
    out << call.body;
    out.flush();
    Poco::Net::HTTPResponse response;
    std::istream& in = (*session)->receiveResponse(response);
    return read_reply(response, in);
  } catch (const Poco::TimeoutException& error) {
    return failed_connection(address_, error).value_or(silent(address_, call.timeout_seconds, changes));
  } catch (const Poco::Exception& error) {
    return failed_connection(address_, error).value_or(broken(address_, error.displayText()));
  }
}

Result<void, CallFailure> RestClient::events(const std::string& path, const std::string& last_id, int patience_ms,
                                             const std::function<bool(const Event&)>& each) const {
  auto session = connect(address_, patience_ms);
  if (!session) return session.error();
  try {
    Poco::Net::HTTPRequest request =
        make_request({"GET", path, "", "", {{"Last-Event-ID", last_id}}}, address_, token_);
    (*session)->sendRequest(request);
    Poco::Net::HTTPResponse response;
    std::istream& in = (*session)->receiveResponse(response);
    if (response.getStatus() != 200) {
      const Reply refused = read_reply(response, in);
      const Json problem = refused.json();
      return CallFailure{
          exit_of(refused),
          problem.is_object() ? problem.value("detail", "") : fmt::format("the server answered {}", refused.status),
          ""};
    }
    Event event;
    std::string line;
    while (std::getline(in, line)) {
      if (line.starts_with("id: ")) event.id = line.substr(4);
      if (line.starts_with("event: ")) event.kind = line.substr(7);
      if (line.starts_with("data: ")) event.data = line.substr(6);
      if (!line.empty() || event.data.empty()) continue;
      if (!each(event)) return {};
      event = Event{};
    }
    return {};
  } catch (const Poco::TimeoutException& error) {
    if (auto nobody = failed_connection(address_, error)) return *nobody;
    return {};
  } catch (const Poco::Exception& error) {
    return failed_connection(address_, error).value_or(broken(address_, error.displayText()));
  }
}

std::string encoded(const std::string& text) {
  std::string out;
  Poco::URI::encode(text, "/?#&=+:@%;,", out);
  return out;
}

}   // namespace proxyd::cli
