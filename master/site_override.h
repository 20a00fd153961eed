#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "master/store/store.h"
#include "shared/config/snapshot.h"

namespace proxyd::master {

// What an override of a site is about, as its subject in the store spells it: "host:www:maintenance", that nobody gets
// in for now, or "route:www/v1:split", other shares of a split for now. A value.
struct SiteSubject {
  std::string host;
  std::string route;   // empty: the host's maintenance

  // Nothing for a subject of another kind.
  static std::optional<SiteSubject> parse(std::string_view text);
  std::string text() const;
};

// Shares by upstream, as the value of an override keeps them: "api=95 api-next=5". Nothing for another text.
using Shares = std::map<std::string, uint32_t>;
std::optional<Shares> read_shares(std::string_view text);
std::string text_of(const Shares& shares);

// The split that the override is about; null when the document has none there.
const config::Split* split_of(const SiteSubject& subject, const config::Document& document);
// The document's shares with others in the place of some.
Shares with_shares(const config::Split& split, const Shares& others);

// Whether the document still names what the override is about: the host, or the split and each of its upstreams.
bool is_site_named(const SiteSubject& subject, const store::Override& one, const config::Document& document);
// Puts it into what travels to the workers.
void apply_site_override(config::Materials& materials, const config::Document& document, const store::Override& one);

}   // namespace proxyd::master
