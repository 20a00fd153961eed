#include "master/admin/server.h"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <Poco/ThreadPool.h>
#include <Poco/URI.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "master/admin/authentication.h"
#include "master/admin/front.h"
#include "master/listeners.h"
#include "shared/config/cidr.h"
#include "shared/config/endpoint.h"

namespace proxyd::admin {
namespace {

using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

constexpr size_t kMostBody = 8 * 1024 * 1024;
constexpr int kMostConnections = 64;
constexpr int kMostStreams = 64;
constexpr int kThreads = kMostConnections + kMostStreams;

// A listening socket that is bound already, TCP or unix.
class AdoptedSocketImpl : public Poco::Net::ServerSocketImpl {
 public:
  explicit AdoptedSocketImpl(int descriptor) { reset(descriptor); }
  Poco::Net::SocketImpl* acceptConnection(Poco::Net::SocketAddress&) override {
    const int accepted = ::accept4(sockfd(), nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) throw Poco::IOException("accept", errno);
    return new Poco::Net::StreamSocketImpl(accepted);
  }
};

class AdoptedSocket : public Poco::Net::ServerSocket {
 public:
  explicit AdoptedSocket(int descriptor) : ServerSocket(new AdoptedSocketImpl(descriptor), true) {}
};

std::string read_body(HTTPServerRequest& request, bool& too_large) {
  std::string body;
  std::istream& stream = request.stream();
  std::vector<char> chunk(64 * 1024);
  while (stream.good() && body.size() <= kMostBody) {
    stream.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    body.append(chunk.data(), static_cast<size_t>(stream.gcount()));
  }
  too_large = body.size() > kMostBody;
  return body;
}

// Server-sent events until the client leaves, the server stops, or an hour has passed.
void stream_events(HTTPServerRequest& request, HTTPServerResponse& response, master::Events& events) {
  response.setContentType("text/event-stream");
  response.set("Cache-Control", "no-store");
  response.setChunkedTransferEncoding(true);
  std::ostream& out = response.send();
  const std::string last_seen = request.get("Last-Event-ID", "");
  const bool resumes = !last_seen.empty() && last_seen.find_first_not_of("0123456789") == std::string::npos && last_seen.size() < 16;
  uint64_t seen = resumes ? std::stoull(last_seen) : events.last();
  const Instant end = Clock::now() + std::chrono::hours(1);
  while (out.good() && Clock::now() < end) {
    const std::vector<master::Event> found = events.after(seen, milliseconds(15'000));
    if (found.empty()) out << ":\n\n";
    for (const master::Event& event : found) {
      out << "id: " << event.id << "\nevent: " << event.kind << "\ndata: " << event.body.dump() << "\n\n";
      seen = event.id;
    }
    out.flush();
  }
}

class Handler : public Poco::Net::HTTPRequestHandler {
 public:
  Handler(Context& context, bool over_unix, std::atomic<int>& streams) : context_(context), over_unix_(over_unix), streams_(streams) {}

  void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
    AdminRequest asked;
    AdminAnswer made = read(request, asked);
    if (made.status == 0 && asked.path == "/api/v1/events" && asked.method == "GET" && asked.identity.may("read")) return stream(request, response);
    if (made.status == 0) made = answer(asked, context_);
    send(response, made);
  }

 private:
  void stream(HTTPServerRequest& request, HTTPServerResponse& response) {
    if (streams_.fetch_add(1) >= kMostStreams) {
      streams_.fetch_sub(1);
      return send(response, problem("too-many-streams", "64 event streams are open already"));
    }
    try {
      stream_events(request, response, context_.master.events());
    } catch (const Poco::Exception&) {   // the client has left
    }
    streams_.fetch_sub(1);
  }

  // Fills `asked`; status 0 means that it may be answered.
  AdminAnswer read(HTTPServerRequest& request, AdminRequest& asked) {
    AdminAnswer refused;
    refused.status = 0;
    asked.method = request.getMethod();
    const std::string& target = request.getURI();
    const size_t question = std::min(target.find('?'), target.size());
    asked.path = target.substr(0, question);
    asked.peer = over_unix_ ? "unix" : request.clientAddress().host().toString();
    if (asked.path.find('%') != std::string::npos || asked.path.find("//") != std::string::npos) return problem("not-found", "there is nothing at this path");
    for (const auto& [name, value] : Poco::URI(target).getQueryParameters()) asked.query[name] = value;
    if (!over_unix_ && !host_is_ours(request.getHost())) return problem("misdirected", "this is not the admin server's name");
    size_t authorizations = 0;
    for (const auto& [name, value] : request) authorizations += Poco::icompare(name, "Authorization") == 0 ? 1 : 0;
    if (authorizations > 1) return problem("malformed", "Authorization is given twice");
    const std::string authorization = authorizations == 1 ? request.get("Authorization") : "";
    if (auto wrong = identify(request, asked, authorization)) return *wrong;
    asked.content_type = request.getContentType() == Poco::Net::HTTPMessage::UNKNOWN_CONTENT_TYPE ? "" : request.getContentType();
    asked.accept = request.get("Accept", "");
    asked.if_match = request.get("If-Match", "");
    asked.if_none_match = request.get("If-None-Match", "");
    if (request.hasContentLength() && request.getContentLength64() > static_cast<Poco::Int64>(kMostBody)) return problem("too-large", "a body has at most 8 MiB");
    bool too_large = false;
    if (request.hasContentLength() || request.getChunkedTransferEncoding()) asked.body = read_body(request, too_large);
    return too_large ? problem("too-large", "a body has at most 8 MiB") : refused;
  }

  std::optional<AdminAnswer> identify(HTTPServerRequest& request, AdminRequest& asked, const std::string& authorization) {
    if (!authorization.empty()) {
      if (context_.too_many_failures(asked.peer)) return problem("too-many", "10 failed logins in 5 minutes from this address");
      const auto identity = identify_token(authorization, context_);
      if (identity) return asked.identity = *identity, std::nullopt;
      context_.note_failure(asked.peer);
      return std::nullopt;
    }
    if (!over_unix_) return std::nullopt;
    ucred peer{};
    socklen_t size = sizeof peer;
    const int descriptor = static_cast<Poco::Net::HTTPServerRequestImpl&>(request).socket().impl()->sockfd();
    if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return problem("forbidden", "the peer's identity is unknown");
    const auto identity = identify_peer(peer.uid, peer.gid, context_.master.bootstrap());
    if (identity) return asked.identity = *identity, std::nullopt;
    std::string groups = context_.master.bootstrap().admin_group;
    for (const auto& [group, role] : context_.master.bootstrap().admin_grants) groups += (groups.empty() ? "" : ", ") + group;
    return problem("forbidden", fmt::format("you are in none of the groups that may use this socket: {}", groups.empty() ? "none is granted" : groups));
  }

  // Only our own names, so that no page can reach us under another (DNS rebinding).
  bool host_is_ours(const std::string& host) const {
    const master::Bootstrap& bootstrap = context_.master.bootstrap();
    if (host == bootstrap.admin_address) return true;
    const std::string name = host.substr(0, host.rfind(':'));
    const auto& names = bootstrap.admin_hostnames;
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  static void send(HTTPServerResponse& response, const AdminAnswer& made) {
    response.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(made.status));
    response.setContentType(made.content_type);
    response.set("Cache-Control", "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : made.fields) response.set(name, value);
    response.setContentLength64(static_cast<Poco::Int64>(made.body.size()));
    if (made.status == 413) response.setKeepAlive(false);
    std::ostream& out = response.send();
    out << made.body;
    out.flush();
  }

  Context& context_;
  bool over_unix_;
  std::atomic<int>& streams_;
};

class Factory : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  Factory(Context& context, bool over_unix, std::atomic<int>& streams) : context_(context), over_unix_(over_unix), streams_(streams) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override { return new Handler(context_, over_unix_, streams_); }

 private:
  Context& context_;
  bool over_unix_;
  std::atomic<int>& streams_;
};

Poco::Net::HTTPServerParams::Ptr make_params() {
  Poco::Net::HTTPServerParams::Ptr params = new Poco::Net::HTTPServerParams;
  params->setMaxThreads(kThreads);
  params->setMaxQueued(kMostConnections);
  params->setTimeout(Poco::Timespan(10, 0));
  params->setKeepAliveTimeout(Poco::Timespan(30, 0));
  params->setMaxKeepAliveRequests(1000);
  return params;
}

}  // namespace

struct AdminServer::Servers {
  explicit Servers(Context& the_context) : context(the_context), sockets(the_context.master.log()), threads("admin", 2, 2 * kThreads) {}

  void add(int descriptor, bool over_unix) {
    AdoptedSocket socket(descriptor);
    running.push_back(std::make_unique<Poco::Net::HTTPServer>(new Factory(context, over_unix, streams), threads, socket, make_params()));
    running.back()->start();
  }

  Context& context;
  master::Listeners sockets;
  std::atomic<int> streams{0};
  Poco::ThreadPool threads;
  std::vector<std::unique_ptr<Poco::Net::HTTPServer>> running;
};

AdminServer::AdminServer(master::Master& master) : context_(std::make_unique<Context>(master)), servers_(std::make_unique<Servers>(*context_)) {}

AdminServer::~AdminServer() { stop(); }

Result<bool> AdminServer::start() {
  const master::Bootstrap& bootstrap = context_->master.bootstrap();
  config::Document document;
  document.listeners["admin"] = {.name = "admin", .addresses = {"unix:" + bootstrap.admin_socket()}};
  if (bootstrap.admin_address != "off") {
    const auto endpoint = config::Endpoint::parse(bootstrap.admin_address);
    const bool loopback = endpoint && (endpoint->host == "localhost" || endpoint->host == "::1" || endpoint->host.starts_with("127."));
    if (!loopback) return Error{fmt::format("admin.tcp.address {} is not a loopback address, and admin.tcp.tls is not set: set it, or use 127.0.0.1", bootstrap.admin_address)};
    document.listeners["admin"].addresses.push_back(bootstrap.admin_address);
  }
  auto bound = servers_->sockets.prepare(document, milliseconds(10'000));
  if (!bound) return bound.error();
  servers_->sockets.commit();
  for (const master::ListeningSocket& socket : *bound) {
    const bool over_unix = socket.address.starts_with("unix:");
    if (over_unix) ::chmod(bootstrap.admin_socket().c_str(), 0660);
    if (const group* admins = over_unix && !bootstrap.admin_group.empty() ? ::getgrnam(bootstrap.admin_group.c_str()) : nullptr) {
      if (::chown(bootstrap.admin_socket().c_str(), static_cast<uid_t>(-1), admins->gr_gid) != 0) context_->master.log().warning("the admin socket could not be given to group {}", bootstrap.admin_group);
    }
    servers_->add(::dup(socket.descriptor), over_unix);
  }
  return true;
}

void AdminServer::stop() {
  for (const auto& server : servers_->running) server->stopAll(true);
  servers_->running.clear();
  servers_->threads.joinAll();
}

std::string AdminServer::url() const {
  const std::string& address = context_->master.bootstrap().admin_address;
  return address == "off" ? "unix:" + context_->master.bootstrap().admin_socket() : "http://" + address + "/";
}

}  // namespace proxyd::admin
