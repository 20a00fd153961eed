#include "master/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "shared/config/endpoint.h"

namespace proxyd::master {
namespace {

constexpr auto kAgain = std::chrono::seconds(10);

bool needs_lookup(const std::string& target) {
  const auto endpoint = config::Endpoint::parse(target);
  return endpoint && endpoint->kind == config::Endpoint::Kind::kTcp && !endpoint->host_is_address;
}

}   // namespace

Resolver::Resolver(std::function<void()> on_change) : on_change_(std::move(on_change)), thread_([this] { run(); }) {}

Resolver::~Resolver() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::vector<std::string> Resolver::look_up(const std::string& target) {
  const auto endpoint = config::Endpoint::parse(target);
  if (!endpoint) return {};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(endpoint->host.c_str(), nullptr, &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* one = found; one; one = one->ai_next) {
    char text[INET6_ADDRSTRLEN] = {};
    const bool ipv4 = one->ai_family == AF_INET;
    const void* address = ipv4 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(one->ai_addr)->sin_addr)
                               : &reinterpret_cast<const sockaddr_in6*>(one->ai_addr)->sin6_addr;
    ::inet_ntop(one->ai_family, address, text, sizeof text);
    const std::string port = ":" + std::to_string(endpoint->port);
    addresses.push_back(ipv4 ? text + port : "[" + std::string(text) + "]" + port);
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

void Resolver::run() {
  std::unique_lock lock(mutex_);
  Instant again = Clock::now() + kAgain;
  while (!stopping_) {
    wake_.wait_until(lock, again, [this] { return stopping_ || !pending_.empty(); });
    const bool refresh = Clock::now() >= again;
    std::set<std::string> due = std::exchange(pending_, {});
    if (refresh) due = wanted_;
    if (refresh) again = Clock::now() + kAgain;
    bool changed = false;
    for (const std::string& target : due) {
      lock.unlock();
      std::vector<std::string> found = look_up(target);
      lock.lock();
      std::vector<std::string>& known = known_[target];   // none: was looked up, in vain
      const bool is_new = !found.empty() && known != found;
      if (is_new) known = std::move(found);
      changed = changed || is_new;
    }
    answered_.notify_all();
    if (!changed || stopping_) continue;
    lock.unlock();
    on_change_();
    lock.lock();
  }
}

std::map<std::string, std::vector<std::string>> Resolver::addresses(const std::vector<std::string>& targets,
                                                                    milliseconds patience) {
  std::unique_lock lock(mutex_);
  std::set<std::string> missing;
  wanted_.clear();
  for (const std::string& target : targets) {
    if (!needs_lookup(target)) continue;
    wanted_.insert(target);
    if (!known_.contains(target)) missing.insert(target);
  }
  pending_.insert(missing.begin(), missing.end());
  wake_.notify_all();
  const auto settled = [&] {
    return std::all_of(missing.begin(), missing.end(), [this](const auto& name) { return known_.contains(name); });
  };
  if (!missing.empty()) answered_.wait_for(lock, patience, settled);
  std::map<std::string, std::vector<std::string>> answer;
  for (const std::string& target : targets) {
    if (!needs_lookup(target)) {
      answer[target] = {target};
    } else if (const auto known = known_.find(target); known != known_.end()) {
      answer[target] = known->second;
    } else {
      answer[target] = {};
    }
  }
  return answer;
}

}   // namespace proxyd::master
