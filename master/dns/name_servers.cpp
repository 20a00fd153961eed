#include "master/dns/name_servers.h"

#include <ares.h>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "shared/config/endpoint.h"

namespace proxyd::dns {
namespace {

using Kind = Outcome::Kind;

constexpr const char* kResolvConf = "/etc/resolv.conf";
constexpr auto kLongest = std::chrono::seconds(10);
constexpr auto kFileTtl = std::chrono::seconds(10);   // /etc/hosts tells none
constexpr int kTimeoutMs = 1500;
constexpr int kTries = 2;
constexpr size_t kMostServices = 32;   // hosts of one SRV answer that are asked for
constexpr int kInternet = 1;

struct timespec changed_at(const char* path) {
  struct stat found{};
  return ::stat(path, &found) == 0 ? found.st_mtim : timespec{};
}

std::string reason_of(int status) {
  switch (status) {
    case ARES_ENOTFOUND: return "there is no such name";
    case ARES_ENODATA: return "the name has no address";
    case ARES_ESERVFAIL: return "the name server failed (SERVFAIL)";
    case ARES_ETIMEOUT: return "no name server answered";
    case ARES_ECONNREFUSED: return "no name server can be reached";
    case ARES_EREFUSED: return "the name server refused";
    default: return ares_strerror(status);
  }
}

std::string with_port(const std::string& address, uint16_t port) {
  const bool ipv6 = address.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}

}   // namespace

// One question of a lookup, and what its answer will be part of.
struct NameServers::Question {
  NameServers* owner = nullptr;
  uint64_t lookup = 0;
  RecordType type = RecordType::kA;
  std::string host;
  uint16_t port = 0;
  uint16_t priority = 0;
  uint16_t weight = 0;

  std::string source() const {
    return (type == RecordType::kSrv ? "SRV " : type == RecordType::kA ? "A " : "AAAA ") + host;
  }
};

struct NameServers::Lookup {
  Query query;
  Deadline deadline = Deadline::never();
  std::vector<std::string> candidates;   // names to try, one after the other
  size_t candidate = 0;
  bool service = false;
  uint16_t port = 0;
  std::multiset<std::string> outstanding;   // sources of questions under way
  int asking = 0;                           // more questions are to come at once
  bool failed = false;
  Outcome outcome;

  void add(const Question& question, const std::string& address, std::chrono::seconds ttl, std::string source) {
    outcome.ttl = outcome.addresses.empty() ? ttl : std::min(outcome.ttl, ttl);
    outcome.addresses.push_back(
        {with_port(address, question.port), question.priority, question.weight, std::move(source)});
  }
  void fail(const Question& question, std::string reason) {
    failed = true;
    outcome.reason = std::move(reason);
    outcome.unanswered.push_back(question.source());
  }
};

NameServers::Channel::~Channel() {
  if (handle) ares_destroy(handle);
}

NameServers::NameServers(std::string servers) : servers_(std::move(servers)) {}

Result<std::unique_ptr<NameServers>> NameServers::create(const std::string& servers) {
  if (const int status = ares_library_init(ARES_LIB_INIT_ALL); status != ARES_SUCCESS)
    return Error{fmt::format("names cannot be resolved: {}", ares_strerror(status))};
  std::unique_ptr<NameServers> made(new NameServers(servers));
  auto channel = made->open_channel();
  if (!channel) return channel.error();
  made->channel_ = std::move(*channel);
  made->wakeup_ = UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  return made;
}

NameServers::~NameServers() {
  channel_.reset();   // its questions end, unanswered
  ares_library_cleanup();
}

Result<std::unique_ptr<NameServers::Channel>> NameServers::open_channel() const {
  auto channel = std::make_unique<Channel>();
  channel->changed = changed_at(kResolvConf);
  ares_options options{};
  options.flags = ARES_FLAG_NOALIASES;
  options.timeout = kTimeoutMs;
  options.tries = kTries;
  int status = ares_init_options(&channel->handle, &options, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  if (status == ARES_SUCCESS && servers_ != "system")
    status = ares_set_servers_ports_csv(channel->handle, servers_.c_str());
  if (status != ARES_SUCCESS) return Error{fmt::format("names cannot be resolved: {}", ares_strerror(status))};
  ares_options found{};
  int known = 0;
  if (ares_save_options(channel->handle, &found, &known) == ARES_SUCCESS) {
    channel->dots = found.ndots;
    for (int i = 0; i < found.ndomains; ++i) channel->domains.emplace_back(found.domains[i]);
    ares_destroy_options(&found);
  }
  return channel;
}

// Between two lookups, so that none is cut off.
void NameServers::follow_resolv_conf() {
  const struct timespec now = changed_at(kResolvConf);
  const bool same = now.tv_sec == channel_->changed.tv_sec && now.tv_nsec == channel_->changed.tv_nsec;
  if (same || !lookups_.empty()) return;
  auto channel = open_channel();
  if (channel) channel_ = std::move(*channel);
}

// In the order of resolv.conf(5).
std::vector<std::string> NameServers::candidates_of(const std::string& name) const {
  if (name.ends_with('.')) return {name.substr(0, name.size() - 1)};
  std::vector<std::string> names;
  for (const std::string& domain : channel_->domains) names.push_back(name + "." + domain);
  const bool as_it_is_first = std::count(name.begin(), name.end(), '.') >= channel_->dots;
  names.insert(as_it_is_first ? names.begin() : names.end(), name);
  return names;
}

void NameServers::begin(const Query& query) {
  follow_resolv_conf();
  auto lookup = std::make_unique<Lookup>();
  lookup->query = query;
  lookup->deadline = Deadline::at(Clock::now() + kLongest);
  const auto service = config::service_name(query.target);
  const auto endpoint = config::Endpoint::parse(query.target);
  lookup->service = service.has_value();
  lookup->port = endpoint ? endpoint->port : 0;
  lookup->candidates = candidates_of(service ? std::string(*service) : endpoint ? endpoint->host : "");
  const uint64_t id = next_id_++;
  lookups_[id] = std::move(lookup);
  ask_candidate(id);
}

void NameServers::ask_candidate(uint64_t id) {
  Lookup& lookup = *lookups_.at(id);
  const std::string name = lookup.candidates[lookup.candidate];
  const Question place{.port = lookup.port};
  ++lookup.asking;
  if (lookup.service) {
    ask(id, {.type = RecordType::kSrv, .host = name});
  } else {
    ask_addresses(id, name, place);
  }
  --lookup.asking;
  settle(id);
}

// Of the host, as one place with the port and what else `place` says.
void NameServers::ask_addresses(uint64_t id, const std::string& host, const Question& place) {
  Lookup& lookup = *lookups_.at(id);
  Question question = place;
  question.host = host;
  bool in_file = false;
  std::vector<RecordType> types;
  if (lookup.query.how.family != config::Family::kV6) types.push_back(RecordType::kA);
  if (lookup.query.how.family != config::Family::kV4) types.push_back(RecordType::kAaaa);
  for (const RecordType type : types) {
    question.type = type;
    in_file = ask_hosts_file(lookup, question) || in_file;
  }
  for (const RecordType type : in_file ? std::vector<RecordType>() : types) {
    question.type = type;
    ask(id, question);
  }
}

bool NameServers::ask_hosts_file(Lookup& lookup, const Question& question) {
  const int family = question.type == RecordType::kA ? AF_INET : AF_INET6;
  hostent* host = nullptr;
  if (ares_gethostbyname_file(channel_->handle, question.host.c_str(), family, &host) != ARES_SUCCESS) return false;
  const std::unique_ptr<hostent, void (*)(hostent*)> owner(host, ares_free_hostent);
  char text[INET6_ADDRSTRLEN] = {};
  for (char** address = host->h_addr_list; *address; ++address) {
    ::inet_ntop(family, *address, text, sizeof text);
    lookup.add(question, text, kFileTtl, "file " + question.host);
  }
  return true;
}

void NameServers::ask(uint64_t id, Question question) {
  question.owner = this;
  question.lookup = id;
  lookups_.at(id)->outstanding.insert(question.source());
  auto asked = std::make_unique<Question>(std::move(question));
  const std::string host = asked->host;
  const int type = static_cast<int>(asked->type);
  ares_query(channel_->handle, host.c_str(), kInternet, type, &answered, asked.release());
}

// Called back once for each question, at once perhaps.
void NameServers::answered(void* question, int status, int, unsigned char* octets, int length) {
  const std::unique_ptr<Question> asked(static_cast<Question*>(question));
  if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
  const size_t size = octets && length > 0 ? static_cast<size_t>(length) : 0;
  asked->owner->take(*asked, status, {octets, size});
}

void NameServers::take(const Question& question, int status, std::span<const uint8_t> octets) {
  const auto found = lookups_.find(question.lookup);
  if (found == lookups_.end()) return;   // it was over before
  Lookup& lookup = *found->second;
  lookup.outstanding.erase(lookup.outstanding.find(question.source()));
  if (status == ARES_SUCCESS) {
    auto answer = read_answer(octets, question.type);
    if (answer) {
      take_answer(question, std::move(*answer));
    } else {
      lookup.fail(question, answer.error().message);
    }
  } else if (status == ARES_ENODATA || status == ARES_ENOTFOUND) {
    if (!lookup.failed) lookup.outcome.reason = reason_of(status);
  } else {
    lookup.fail(question, reason_of(status));
  }
  settle(question.lookup);
}

void NameServers::take_answer(const Question& question, Answer answer) {
  Lookup& lookup = *lookups_.at(question.lookup);
  for (const std::string& address : answer.addresses) lookup.add(question, address, answer.ttl, question.source());
  ++lookup.asking;
  answer.services.resize(std::min(answer.services.size(), kMostServices));
  for (const SrvRecord& service : answer.services) {
    if (service.host.empty() || service.port == 0) continue;   // "." says that there is none (RFC 2782)
    ask_addresses(question.lookup, service.host,
                  {.port = service.port, .priority = service.priority, .weight = service.weight});
  }
  --lookup.asking;
  if (!answer.services.empty())
    lookup.outcome.ttl = lookup.outcome.addresses.empty() ? answer.ttl : std::min(lookup.outcome.ttl, answer.ttl);
}

// When nothing is under way any more, the lookup is over or goes on with the next name.
void NameServers::settle(uint64_t id) {
  const auto found = lookups_.find(id);
  if (found == lookups_.end()) return;
  Lookup& lookup = *found->second;
  if (lookup.asking > 0 || !lookup.outstanding.empty()) return;
  const bool more = lookup.candidate + 1 < lookup.candidates.size();
  if (!lookup.outcome.addresses.empty() || lookup.failed || !more) return finish(id, false);
  ++lookup.candidate;
  ask_candidate(id);
}

void NameServers::finish(uint64_t id, bool late) {
  const auto node = lookups_.extract(id);
  Lookup& lookup = *node.mapped();
  Outcome& outcome = lookup.outcome;
  if (late) {
    outcome.reason = reason_of(ARES_ETIMEOUT);
    outcome.unanswered.insert(outcome.unanswered.end(), lookup.outstanding.begin(), lookup.outstanding.end());
  }
  const auto order = [](const Address& a, const Address& b) {
    return std::tie(a.address, a.priority) < std::tie(b.address, b.priority);
  };
  std::sort(outcome.addresses.begin(), outcome.addresses.end(), order);
  const auto same = [](const Address& a, const Address& b) { return a.address == b.address; };
  outcome.addresses.erase(std::unique(outcome.addresses.begin(), outcome.addresses.end(), same),
                          outcome.addresses.end());
  const bool none = !late && !lookup.failed;
  outcome.kind = !outcome.addresses.empty() ? Kind::kFound : none ? Kind::kNothing : Kind::kFailed;
  if (outcome.kind == Kind::kFound && outcome.unanswered.empty()) outcome.reason.clear();
  finished_.push_back({lookup.query, std::move(outcome)});
}

std::vector<Finished> NameServers::wait(Instant until) {
  if (finished_.empty()) turn(until);
  return std::exchange(finished_, {});
}

void NameServers::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wakeup_.value(), &one, sizeof one);
}

// One turn of what waits for servers.
void NameServers::turn(Instant until) {
  ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
  const int wanted = ares_getsock(channel_->handle, sockets, ARES_GETSOCK_MAXNUM);
  std::vector<pollfd> ready = {{wakeup_.value(), POLLIN, 0}};
  for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
    const int events =
        (ARES_GETSOCK_READABLE(wanted, i) ? POLLIN : 0) | (ARES_GETSOCK_WRITABLE(wanted, i) ? POLLOUT : 0);
    if (events != 0) ready.push_back({sockets[i], static_cast<short>(events), 0});
  }
  for (const auto& [id, lookup] : lookups_) until = std::min(until, lookup->deadline.when());
  const auto left = std::clamp<milliseconds>(std::chrono::ceil<milliseconds>(until - Clock::now()), milliseconds(0),
                                             milliseconds(3'600'000));
  timeval most{left.count() / 1000, static_cast<suseconds_t>(left.count() % 1000 * 1000)};
  timeval next{};
  const timeval* wait = ares_timeout(channel_->handle, &most, &next);
  ::poll(ready.data(), ready.size(), static_cast<int>(wait->tv_sec * 1000 + (wait->tv_usec + 999) / 1000));
  uint64_t woken = 0;
  if (ready[0].revents != 0) [[maybe_unused]]
    const ssize_t got = ::read(wakeup_.value(), &woken, sizeof woken);
  ares_process_fd(channel_->handle, ARES_SOCKET_BAD, ARES_SOCKET_BAD);   // what timed out
  for (size_t i = 1; i < ready.size(); ++i) {
    const ares_socket_t socket = ready[i].fd;
    const bool readable = (ready[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0;
    const bool writable = (ready[i].revents & POLLOUT) != 0;
    if (readable || writable)
      ares_process_fd(channel_->handle, readable ? socket : ARES_SOCKET_BAD, writable ? socket : ARES_SOCKET_BAD);
  }
  std::vector<uint64_t> late;
  for (const auto& [id, lookup] : lookups_) {
    if (lookup->deadline.passed(Clock::now())) late.push_back(id);
  }
  for (const uint64_t id : late) finish(id, true);
}

}   // namespace proxyd::dns
