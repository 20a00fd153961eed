#include "master/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "shared/config/endpoint.h"

namespace proxyd::master {
namespace {

bool needs_lookup(const std::string& target) {
  const auto endpoint = config::Endpoint::parse(target);
  return endpoint && endpoint->kind == config::Endpoint::Kind::kTcp && !endpoint->host_is_address;
}

}   // namespace

// Shared with the thread, which may outlive the resolver.
struct Resolver::State {
  State(std::function<void()> the_change, LookUp the_look_up, milliseconds the_interval)
      : on_change(std::move(the_change)), look_up(std::move(the_look_up)), interval(the_interval) {}

  std::function<void()> on_change;
  LookUp look_up;
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable answered;
  Answers known;                   // the last answers; no address: looked up, in vain
  Answers in_force;                // names that serve, and by which addresses
  std::set<std::string> pending;   // waited for
  std::set<std::string> due;       // the rest of this round
  milliseconds interval;
  Instant again = Clock::now() + interval;
  int waiting = 0;
  bool looking_up = false;
  bool stopping = false;

  void begin_round() {
    again = Clock::now() + interval;
    for (const auto& [target, addresses] : in_force) due.insert(target);
    if (waiting == 0) std::erase_if(known, [this](const auto& one) { return !in_force.contains(one.first); });
  }

  std::optional<std::string> next() {
    for (std::set<std::string>* names : {&pending, &due}) {
      if (!names->empty()) return names->extract(names->begin()).value();
    }
    return std::nullopt;
  }

  void take(const std::string& target, Addresses found) {
    Addresses& last = known[target];
    if (!found.empty()) last = std::move(found);
    const auto serving = in_force.find(target);
    if (serving != in_force.end() && !last.empty() && last != serving->second) on_change();
    answered.notify_all();
  }
};

Resolver::Resolver(std::function<void()> on_change, LookUp look_up, milliseconds interval)
    : state_(std::make_shared<State>(std::move(on_change), std::move(look_up), interval)) {
  thread_ = std::thread([state = state_] { run(*state); });
}

Resolver::~Resolver() {
  bool looking_up = false;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    looking_up = state_->looking_up;
  }
  state_->wake.notify_all();
  looking_up ? thread_.detach() : thread_.join();
}

Resolver::Addresses Resolver::ask_system(const std::string& target) {
  const auto endpoint = config::Endpoint::parse(target);
  if (!endpoint) return {};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(endpoint->host.c_str(), nullptr, &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  Addresses addresses;
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

void Resolver::run(State& state) {
  std::unique_lock lock(state.mutex);
  while (!state.stopping) {
    if (Clock::now() >= state.again && state.due.empty()) state.begin_round();
    const auto target = state.next();
    if (!target) {
      state.wake.wait_until(lock, state.again,
                            [&state] { return state.stopping || !state.pending.empty() || !state.due.empty(); });
      continue;
    }
    state.looking_up = true;
    lock.unlock();
    Addresses found = state.look_up(*target);
    lock.lock();
    state.looking_up = false;
    if (!state.stopping) state.take(*target, std::move(found));
  }
}

Resolver::Answers Resolver::addresses(const std::vector<std::string>& targets, milliseconds patience) {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  std::set<std::string> missing;
  for (const std::string& target : targets) {
    if (needs_lookup(target) && !state.known.contains(target)) missing.insert(target);
  }
  if (!missing.empty()) {
    state.pending.insert(missing.begin(), missing.end());
    state.wake.notify_all();
    ++state.waiting;
    state.answered.wait_for(lock, patience, [&] {
      return std::all_of(missing.begin(), missing.end(), [&](const auto& name) { return state.known.contains(name); });
    });
    --state.waiting;
  }
  Answers answers;
  for (const std::string& target : targets) {
    const auto known = state.known.find(target);
    if (!needs_lookup(target))
      answers[target] = {target};
    else
      answers[target] = known == state.known.end() ? Addresses() : known->second;
  }
  return answers;
}

void Resolver::watch(const Answers& in_force) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  state.in_force.clear();
  state.pending.clear();   // their time is over
  std::erase_if(state.known, [&in_force](const auto& one) { return !in_force.contains(one.first); });
  std::erase_if(state.due, [&in_force](const std::string& target) { return !in_force.contains(target); });
  for (const auto& [target, addresses] : in_force) {
    if (!needs_lookup(target)) continue;
    state.in_force[target] = addresses;
    const auto [known, is_new] = state.known.emplace(target, addresses);
    if (is_new || known->second != addresses) state.due.insert(target);   // not answered yet, or meanwhile
  }
  state.wake.notify_all();
}

}   // namespace proxyd::master
