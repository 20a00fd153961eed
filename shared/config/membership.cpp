#include "shared/config/membership.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace proxyd::config {
namespace {

constexpr size_t kLongestName = 64;

bool is_name_part(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}   // namespace

void put_members(Document& document, const Members& members) {
  for (auto& [name, upstream] : document.upstreams) {
    if (upstream.membership != Membership::kDynamic) continue;
    const auto found = members.find(name);
    upstream.targets = found == members.end() ? std::map<std::string, Target>() : found->second;
  }
}

nlohmann::json members_to_json(const Members& members) {
  nlohmann::json upstreams = nlohmann::json::object();
  for (const auto& [name, targets] : members) {
    nlohmann::json& all = upstreams[name] = nlohmann::json::object();
    for (const auto& [id, target] : targets) {
      nlohmann::json one{{"address", target.address}, {"weight", target.weight}, {"backup", target.backup}};
      if (target.max_connections) one["max_connections"] = *target.max_connections;
      if (target.slow_start) one["slow_start"] = *target.slow_start ? (*target.slow_start)->count() : -1;
      all[id] = std::move(one);
    }
  }
  return upstreams;
}

Members members_from_json(const nlohmann::json& json) {
  Members members;
  for (const auto& [name, targets] : json.items()) {
    for (const auto& [id, one] : targets.items()) {
      Target target{.id = id, .address = one.at("address"), .weight = one.at("weight"), .backup = one.at("backup")};
      if (one.contains("max_connections")) target.max_connections = one.at("max_connections").get<uint64_t>();
      const int64_t slow_start = one.value("slow_start", int64_t{-2});
      if (slow_start == -1) target.slow_start = MaybeDuration();
      if (slow_start >= 0) target.slow_start = Duration(slow_start);
      members[name][id] = std::move(target);
    }
  }
  return members;
}

std::string name_for_address(std::string address) {
  std::replace_if(address.begin(), address.end(), [](char c) { return !is_name_part(c); }, '-');
  address.resize(std::min(address.size(), kLongestName));
  return address;
}

}   // namespace proxyd::config
