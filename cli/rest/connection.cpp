#include "cli/rest/connection.h"

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/RejectCertificateHandler.h>
#include <Poco/Net/SSLException.h>
#include <Poco/Net/SSLManager.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <Poco/URI.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "shared/base/unique_fd.h"

namespace proxyd::cli {
namespace {

using Poco::Net::HTTPClientSession;
using Session = std::unique_ptr<HTTPClientSession>;

constexpr int kConnectSeconds = 10;

// A session on a connected socket; POCO has a constructor for a socket that is there.
class UnixSession : public HTTPClientSession {
 public:
  explicit UnixSession(const Poco::Net::StreamSocket& socket) : HTTPClientSession(socket) {}
};

class ConnectedSocket : public Poco::Net::StreamSocket {
 public:
  explicit ConnectedSocket(int descriptor) : StreamSocket(new Poco::Net::StreamSocketImpl(descriptor)) {}
};

CallFailure unreachable(const std::string& address, const std::string& why) {
  return {Exit::kUnreachable, fmt::format("no proxyd answers at {}: {}", address, why),
          "is it running? If it is elsewhere, name it: --addr unix:PATH or http://HOST:PORT, or PROXYCTL_ADDR"};
}

Result<Session, CallFailure> connect_unix(const std::string& address, const Poco::Timespan& patience) {
  const std::string path = address.substr(5);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  UniqueFd descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{kConnectSeconds, 0};   // of a backlog that is full, too
  ::setsockopt(descriptor.value(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(descriptor.value(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) {
    ConnectedSocket socket(descriptor.release());
    socket.setSendTimeout(patience);
    socket.setReceiveTimeout(patience);
    return Session(std::make_unique<UnixSession>(socket));
  }
  const int why = errno;
  if (why == EAGAIN) return unreachable(address, fmt::format("it takes no connection within {} s", kConnectSeconds));
  if (why != EACCES) return unreachable(address, std::strerror(why));
  return CallFailure{Exit::kNotAllowed, fmt::format("you may not use {}: {}", path, std::strerror(why)),
                     "run it as a member of the socket's group, or: sudo proxyctl …"};
}

// Certificates are checked, names too; there is nobody to ask.
void prepare_tls() {
  Poco::Net::initializeSSL();
  Poco::Net::Context::Params params;
  params.verificationMode = Poco::Net::Context::VERIFY_STRICT;
  params.loadDefaultCAs = true;
  const Poco::Net::Context::Ptr context = new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, params);
  Poco::Net::SSLManager::instance().initializeClient(nullptr, new Poco::Net::RejectCertificateHandler(false), context);
}

}   // namespace

std::string fault_in_address(const std::string& address) {
  constexpr size_t kLongestPath = sizeof(sockaddr_un{}.sun_path) - 1;
  if (address.starts_with("unix:")) {
    const size_t length = address.size() - 5;
    return length > 0 && length <= kLongestPath ? "" : fmt::format("a socket's path has 1 to {} octets", kLongestPath);
  }
  if (!address.starts_with("http://") && !address.starts_with("https://"))
    return "it is none of unix:PATH, http://HOST:PORT, https://HOST:PORT";
  try {
    const Poco::URI uri(address);
    const bool bare = uri.getPathEtc().empty() || uri.getPathEtc() == "/";
    if (!uri.getUserInfo().empty()) return "a name or password does not belong there; use --token-file";
    return uri.getHost().empty() ? "it names no host" : bare ? "" : "it has a path";
  } catch (const Poco::Exception&) {
    return "it is no URL";
  }
}

Result<Session, CallFailure> connect(const std::string& address, int patience_ms) {
  const Poco::Timespan patience(static_cast<Poco::Timespan::TimeDiff>(patience_ms) * 1000);
  if (address.starts_with("unix:")) return connect_unix(address, patience);
  const Poco::URI uri(address);
  const bool tls = uri.getScheme() == "https";
  if (tls) prepare_tls();
  Session session = tls ? std::make_unique<Poco::Net::HTTPSClientSession>(uri.getHost(), uri.getPort())
                        : std::make_unique<HTTPClientSession>(uri.getHost(), uri.getPort());
  session->setTimeout(Poco::Timespan(kConnectSeconds, 0), patience, patience);
  return session;
}

std::optional<CallFailure> failed_connection(const std::string& address, const Poco::Exception& error) {
  if (dynamic_cast<const Poco::Net::SSLException*>(&error)) {
    return CallFailure{Exit::kUnreachable, fmt::format("{} cannot be trusted: {}", address, error.message()),
                       "name the authority that signed its certificate: SSL_CERT_FILE=FILE proxyctl …"};
  }
  const bool connecting = dynamic_cast<const Poco::TimeoutException*>(&error) && error.message().starts_with("connect");
  const bool nobody = connecting || dynamic_cast<const Poco::Net::NetException*>(&error);
  const bool reset = dynamic_cast<const Poco::Net::ConnectionResetException*>(&error) ||
                     dynamic_cast<const Poco::Net::MessageException*>(&error) ||
                     dynamic_cast<const Poco::Net::NoMessageException*>(&error) ||
                     dynamic_cast<const Poco::Net::ConnectionAbortedException*>(&error);
  if (!nobody || reset) return std::nullopt;
  return unreachable(address, error.displayText());
}

}   // namespace proxyd::cli
