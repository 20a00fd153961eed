#include "master/admin/server.h"

#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/ThreadPool.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <map>

#include "master/admin/context.h"
#include "master/admin/http_handler.h"
#include "master/listeners.h"
#include "shared/config/endpoint.h"
#include "shared/ipc/publication.h"

namespace proxyd::admin {
namespace {

constexpr int kThreadsOfDoor = 2 * ConnectionLimit::kMost;   // connections, and event streams beside them
constexpr int kDoors = 3;
constexpr milliseconds kBindPatience{10'000};

Poco::Net::HTTPServerParams::Ptr make_params() {
  Poco::Net::HTTPServerParams::Ptr params = new Poco::Net::HTTPServerParams;
  params->setMaxThreads(kThreadsOfDoor);
  params->setMaxQueued(ConnectionLimit::kMost);
  params->setTimeout(Poco::Timespan(10, 0));
  params->setKeepAliveTimeout(Poco::Timespan(10, 0));
  params->setMaxKeepAliveRequests(1000);
  return params;
}

bool is_loopback(const std::string& address) {
  const auto endpoint = config::Endpoint::parse(address);
  return endpoint && (endpoint->host == "localhost" || endpoint->host == "::1" || endpoint->host.starts_with("127."));
}

}   // namespace

struct AdminServer::Servers {
  explicit Servers(Context& the_context)
      : context(the_context), sockets(the_context.master.log()), threads("admin", 2, kDoors * kThreadsOfDoor) {}

  void add(const master::ListeningSocket& socket, Door door) {
    auto occupancy = std::make_shared<Occupancy>();
    AdoptedSocket adopted(ipc::duplicate(socket.descriptor).release(), occupancy);
    running.push_back(std::make_unique<Poco::Net::HTTPServer>(new HandlerFactory(context, door, occupancy), threads,
                                                              adopted, make_params()));
    running.back()->setConnectionFilter(new ConnectionLimit(occupancy));
    running.back()->start();
  }

  Context& context;
  master::Listeners sockets;
  Poco::ThreadPool threads;
  std::vector<std::unique_ptr<Poco::Net::HTTPServer>> running;
};

AdminServer::AdminServer(master::Master& master)
    : context_(std::make_unique<Context>(master)), servers_(std::make_unique<Servers>(*context_)) {}

AdminServer::~AdminServer() { stop(); }

// The socket's file is for its group; who of them may what, the grants say.
void AdminServer::open_to_group() {
  const master::Bootstrap& bootstrap = context_->master.bootstrap();
  const std::string path = bootstrap.admin_socket();
  ::chmod(path.c_str(), 0660);
  std::array<char, 16384> room;
  group found{};
  group* result = nullptr;
  if (bootstrap.admin_group.empty()) return;
  if (::getgrnam_r(bootstrap.admin_group.c_str(), &found, room.data(), room.size(), &result) != 0 || !result) {
    const auto origin = bootstrap.origins.find("admin.unix.group");
    if (origin != bootstrap.origins.end() && origin->second != "default")
      context_->master.log().warning(
          "there is no group {} (admin.unix.group): the admin socket is for its owner's group", bootstrap.admin_group);
    return;
  }
  if (::chown(path.c_str(), static_cast<uid_t>(-1), result->gr_gid) != 0)
    context_->master.log().warning("the admin socket could not be given to group {}", bootstrap.admin_group);
}

Result<void> AdminServer::start() {
  const master::Bootstrap& bootstrap = context_->master.bootstrap();
  std::map<std::string, config::Listener> wanted;
  const std::string socket_address = "unix:" + bootstrap.admin_socket();
  wanted["admin"] = {.name = "admin", .addresses = {socket_address}};
  if (bootstrap.admin_address != "off") {
    if (!is_loopback(bootstrap.admin_address))
      return Error{fmt::format(
          "admin.tcp.address {} is not a loopback address, and admin.tcp.tls is not set: set it, or use 127.0.0.1",
          bootstrap.admin_address)};
    wanted["admin"].addresses.push_back(bootstrap.admin_address);
  }
  if (bootstrap.metrics_address != "off")
    wanted["metrics"] = {.name = "metrics", .addresses = {bootstrap.metrics_address}};
  auto bound = servers_->sockets.prepare(wanted, kBindPatience, master::Purpose::kServing);
  if (!bound) return bound.error();
  servers_->sockets.commit();
  for (const master::ListeningSocket& socket : *bound) {
    if (socket.address == socket_address) open_to_group();
    servers_->add(socket, socket.listener == "metrics"       ? Door::kMetrics
                          : socket.address == socket_address ? Door::kUnix
                                                             : Door::kTcp);
  }
  context_->start();
  return {};
}

void AdminServer::stop() {
  context_->master.events().close();
  context_->stop();
  for (const auto& server : servers_->running) server->stopAll(true);
  servers_->running.clear();
  servers_->threads.joinAll();
}

std::string AdminServer::url() const {
  const std::string& address = context_->master.bootstrap().admin_address;
  return address == "off" ? "unix:" + context_->master.bootstrap().admin_socket() : "http://" + address + "/";
}

}   // namespace proxyd::admin
