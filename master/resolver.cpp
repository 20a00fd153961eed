#include "master/resolver.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "shared/config/endpoint.h"

namespace proxyd::master {
namespace {

constexpr size_t kMostAddresses = 64;
constexpr size_t kMostAtOnce = 32;

bool needs_lookup(const std::string& target) {
  if (config::service_name(target)) return true;
  const auto endpoint = config::Endpoint::parse(target);
  return endpoint && endpoint->kind == config::Endpoint::Kind::kTcp && !endpoint->host_is_address;
}

bool comes_before(const dns::Address& a, const dns::Address& b) {
  return std::tie(a.priority, a.address) < std::tie(b.priority, b.address);
}

// What was found, and of what was not answered what was known.
Resolver::Addresses merged(dns::Outcome outcome, const Resolver::Addresses& known) {
  Resolver::Addresses all = std::move(outcome.addresses);
  for (const dns::Address& one : known) {
    const auto& missing = outcome.unanswered;
    const bool stays =
        std::find(missing.begin(), missing.end(), one.source) != missing.end() &&
        std::none_of(all.begin(), all.end(), [&](const auto& other) { return other.address == one.address; });
    if (stays) all.push_back(one);
  }
  std::sort(all.begin(), all.end(), comes_before);
  if (all.size() > kMostAddresses) all.resize(kMostAddresses);
  return all;
}

}   // namespace

Resolver::Resolver(std::function<void()> on_change, std::unique_ptr<dns::Lookups> lookups, Log& log, Pace pace)
    : on_change_(std::move(on_change)), lookups_(std::move(lookups)), log_(log), pace_(pace) {
  thread_ = std::thread([this] { run(); });
}

Resolver::~Resolver() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  lookups_->wake();
  thread_.join();
}

void Resolver::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const Instant next = begin_due();
    lock.unlock();
    std::vector<dns::Finished> finished = lookups_->wait(next);
    lock.lock();
    for (dns::Finished& one : finished) take(one.query, std::move(one.outcome));
    if (!finished.empty()) answered_.notify_all();
  }
}

// Asks what is due, new names before others; until when there is nothing to do then. What nobody wants is forgotten.
Instant Resolver::begin_due() {
  const Instant now = Clock::now();
  Instant next = Instant::max();
  std::erase_if(names_, [&](const auto& one) {
    const Name& name = one.second;
    return name.answered && !name.in_force && !name.under_way && waiting_ == 0 && name.again <= now;
  });
  for (const bool fresh : {true, false}) {
    for (auto& [query, name] : names_) {
      if (name.under_way || name.answered == fresh) continue;
      if (name.again > now || under_way_ >= kMostAtOnce) {
        if (name.again > now) next = std::min(next, name.again);
        continue;
      }
      name.under_way = true;
      ++under_way_;
      lookups_->begin(query);
    }
  }
  return next;
}

void Resolver::note_failure(Name& name, const dns::Outcome& outcome) const {
  const bool denied = outcome.kind == dns::Outcome::Kind::kNothing;
  const Instant now = Clock::now();
  if (!denied) name.denied_since = Instant{};
  if (denied && name.denied_since == Instant{}) name.denied_since = now;
  if (denied && now - name.denied_since >= pace_.gone_after) name.known.clear();
  const milliseconds pause = std::min(pace_.longest_retry, pace_.first_retry * (1 << std::min(name.failures, 10)));
  ++name.failures;
  name.again = now + pause;
  name.trouble = outcome.reason;
}

void Resolver::take(const dns::Query& query, dns::Outcome outcome) {
  --under_way_;
  const auto found = names_.find(query);
  if (found == names_.end()) return;   // nobody wants it any more
  Name& name = found->second;
  name.under_way = false;
  name.answered = true;
  if (outcome.kind == dns::Outcome::Kind::kFound) {
    const auto ttl = std::chrono::duration_cast<milliseconds>(outcome.ttl);
    name.again = Clock::now() + std::max(query.how.min_ttl, std::min(ttl, query.how.max_ttl));
    name.failures = 0;
    name.denied_since = Instant{};
    name.trouble = outcome.reason;
    name.known = merged(std::move(outcome), name.known);
  } else {
    note_failure(name, outcome);
  }
  tell(query.target, name);
  if (name.in_force && name.known != *name.in_force) on_change_();
}

// Once for each change of the reason; of names in force alone: of others the answer to the caller tells.
void Resolver::tell(const std::string& target, Name& name) const {
  if (!name.in_force || !name.answered || name.trouble == name.told) return;
  name.told = name.trouble;
  if (name.trouble.empty()) return log_.info("'{}' is resolved again", target);
  if (name.known.empty()) return log_.warning("'{}' does not resolve: {}", target, name.trouble);
  log_.warning("'{}' does not resolve any more, or not whole: {}; what was known of it serves on", target,
               name.trouble);
}

Resolver::Answers Resolver::addresses(const std::vector<dns::Query>& queries, milliseconds patience) {
  std::unique_lock lock(mutex_);
  bool is_new = false;
  for (const dns::Query& query : queries) {
    if (needs_lookup(query.target)) is_new = names_.try_emplace(query).second || is_new;
  }
  if (is_new) lookups_->wake();
  ++waiting_;
  answered_.wait_for(lock, patience, [&] {
    return std::all_of(queries.begin(), queries.end(), [this](const dns::Query& query) {
      const auto name = names_.find(query);
      return name == names_.end() || name->second.answered || name->second.in_force;
    });
  });
  --waiting_;
  Answers answers;
  for (const dns::Query& query : queries) {
    const auto name = names_.find(query);
    if (!needs_lookup(query.target))
      answers[query] = {{query.target}};
    else
      answers[query] = name == names_.end() ? Addresses() : name->second.known;
  }
  return answers;
}

void Resolver::watch(const Answers& in_force) {
  const std::lock_guard lock(mutex_);
  for (auto& [query, name] : names_) name.in_force.reset();
  bool changed = false;
  for (const auto& [query, addresses] : in_force) {
    if (!needs_lookup(query.target)) continue;
    Name& name = names_[query];
    name.in_force = addresses;
    changed = changed || (name.answered && name.known != addresses);   // answered meanwhile
    tell(query.target, name);
  }
  if (waiting_ == 0) std::erase_if(names_, [](const auto& one) { return !one.second.in_force; });
  if (changed) on_change_();
  lookups_->wake();
}

std::vector<Resolver::Trouble> Resolver::troubles() const {
  const std::lock_guard lock(mutex_);
  std::vector<Trouble> all;
  for (const auto& [query, name] : names_) {
    if (name.in_force && !name.trouble.empty()) all.push_back({query.target, name.trouble, name.known.size()});
  }
  return all;
}

}   // namespace proxyd::master
