#include "worker/routing/access.h"

#include <algorithm>
#include <optional>

#include "shared/config/cidr.h"

namespace proxyd::routing {
namespace {

struct Entry {
  config::Cidr cidr;
  uint32_t network;
};

// The outer network before those within it.
bool goes_before(const Entry& a, const Entry& b) {
  if (a.cidr.first() != b.cidr.first()) return a.cidr.first() < b.cidr.first();
  return a.cidr.prefix() < b.cidr.prefix();
}

std::optional<AccessList::Address> after(AccessList::Address address) {
  for (size_t i = address.size(); i-- > 0;) {
    if (++address[i] != 0) return address;
  }
  return std::nullopt;   // it was the last of all
}

}   // namespace

// Networks never overlap but lie within each other, so that one walk by address, with those that are open on a stack,
// finds where each of them decides.
AccessList::AccessList(const config::AccessList& settings) : name_(settings.name) {
  std::vector<Entry> entries;
  const auto add = [&](const std::vector<std::string>& texts, bool allowed) {
    for (const std::string& text : texts) {
      const auto cidr = config::Cidr::parse(text);
      if (!cidr) continue;
      entries.push_back({*cidr, static_cast<uint32_t>(networks_.size())});
      networks_.push_back({text, allowed});
    }
  };
  add(settings.allow, true);
  add(settings.deny, false);
  networks_.push_back({"", settings.allow.empty()});
  std::sort(entries.begin(), entries.end(), goes_before);

  std::vector<Entry> open;
  const auto begin_stretch = [this](const Address& from, uint32_t network) {
    if (stretches_.back().from == from) {
      stretches_.back().network = network;
    } else {
      stretches_.push_back({from, network});
    }
  };
  const auto nobody = static_cast<uint32_t>(networks_.size() - 1);
  const auto close_last = [&] {
    const auto next = after(open.back().cidr.last());
    open.pop_back();
    if (next) begin_stretch(*next, open.empty() ? nobody : open.back().network);
  };
  stretches_.push_back({Address{}, nobody});
  for (const Entry& entry : entries) {
    while (!open.empty() && open.back().cidr.last() < entry.cidr.first()) close_last();
    begin_stretch(entry.cidr.first(), entry.network);
    open.push_back(entry);
  }
  while (!open.empty()) close_last();
}

AccessList::Verdict AccessList::decide(const Address& client) const {
  const auto next = std::upper_bound(stretches_.begin(), stretches_.end(), client,
                                     [](const Address& address, const Stretch& one) { return address < one.from; });
  const Network& network = networks_[std::prev(next)->network];
  return {network.allowed, network.text};
}

}   // namespace proxyd::routing
