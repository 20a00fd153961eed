#include "worker/routing/rate_limit.h"

#include <fmt/format.h>

namespace proxyd::routing {
namespace {

limits::Rate rate_of(const config::RateLimit& settings) {
  const bool window = settings.type == config::RateLimit::Type::kWindow;
  return window ? limits::Rate::window(settings.rate, settings.per)
                : limits::Rate::bucket(settings.rate, settings.per, settings.burst);
}

std::string policy_of(const config::RateLimit& settings, const limits::Rate& rate) {
  const auto time = std::chrono::ceil<std::chrono::seconds>(rate.quota_time());
  return fmt::format("\"{}\";q={};w={}", settings.name, rate.quota(), time.count());
}

}   // namespace

RateLimit::RateLimit(const config::RateLimit& settings, uint32_t number, const AccessList* except)
    : settings_(settings),
      number_(number),
      except_(except),
      key_(settings.key),
      rate_(rate_of(settings)),
      policy_(policy_of(settings, rate_)) {
  if (settings.fallback) fallback_.emplace(*settings.fallback);
}

// What no two counts may share: the limit, the kind of key, and what a word means. Windows of another length have
// other numbers.
uint64_t RateLimit::domain(const RequestKey& key) const {
  const uint64_t window = rate_.is_window() ? 1 + rate_.per_ns() / 1'000'000 : 0;   // milliseconds of a day: 27 bits
  return window << 32 | uint64_t{number_} << 8 | static_cast<uint64_t>(key.kind());
}

uint64_t RateLimit::hash(const RequestKey& key, const RequestFacts& facts, const limits::LimitsRegion& region) const {
  if (key.is_client()) return region.hash(domain(key), client_word(facts.client));
  const std::string_view value = key.value(facts);
  return value.empty() ? 0 : region.hash(domain(key), value);
}

uint64_t RateLimit::key_of(const RequestFacts& facts, const limits::LimitsRegion& region) const {
  if (except_ && except_->admits(facts.client)) return 0;
  const uint64_t key = hash(key_, facts, region);
  return key == 0 && fallback_ ? hash(*fallback_, facts, region) : key;
}

const config::RequestKey* RateLimit::counted_by(const RequestFacts& facts) const {
  if (except_ && except_->admits(facts.client)) return nullptr;
  if (key_.is_in(facts)) return &settings_.key;
  return fallback_ && fallback_->is_in(facts) ? &*settings_.fallback : nullptr;
}

}   // namespace proxyd::routing
