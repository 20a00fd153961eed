#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shared/config/model.h"
#include "worker/routing/request_key.h"
#include "worker/upstream/balancer.h"

namespace proxyd::proxy {

// What of a request says at which target of its upstream it belongs: the key of consistent hashing, and the cookie that
// names where its client was before. Immutable; owned by the configuration, one for each upstream.
class Affinity {
 public:
  explicit Affinity(const config::Upstream& settings);

  // Of a request to `group`.
  upstream::Balancer::Belongs of(const routing::RequestFacts& facts, const upstream::UpstreamGroup& group) const;

  bool is_sticky() const { return sticky_.has_value(); }
  // The value of Set-Cookie that sends a client to `member` from now on (RFC 6265). In the arena.
  std::string_view cookie_for(const upstream::Member& member, bool secure, http::Arena& arena) const;

  // What a cookie says of a target's address: a keyed hash, for it is nobody's business where our targets are. Empty
  // without a key.
  static std::string mark_of(const std::string& key, std::string_view upstream, std::string_view target,
                             std::string_view address);

 private:
  std::optional<routing::RequestKey> key_;
  routing::RequestKey fallback_;
  std::optional<config::Sticky> sticky_;
  std::string attributes_;   // behind the value
};

// The cookies of all sticky upstreams that a host's routes lead to.
std::vector<std::string> sticky_cookies_of(const config::Host& host, const config::Document& document);

class Request;
// Finds at which target a request to `group` belongs, and takes our cookies out of its fields: neither the cache nor an
// origin is to see them.
void take_affinity(Request& request, const upstream::UpstreamGroup& group);

}   // namespace proxyd::proxy
