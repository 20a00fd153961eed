#pragma once

#include <optional>
#include <set>
#include <string>

#include "shared/cache/bans.h"
#include "worker/caching/purge_request.h"

namespace proxyd::proxy {

// The ban that a PURGE asks for with expressions. A value of its request. To make it compiles them, some microseconds.
struct PurgeBan {
  cache::BanKind kind = cache::BanKind::path;
  std::string expression;   // of paths; tags are not stored, so theirs are only understood
  std::set<std::string> hosts;
  std::string fault;   // what is wrong, and that nothing is purged; empty when it can be carried out
};

// Nothing when there is no expression in it. Its hosts are the caller's to say.
std::optional<PurgeBan> ban_of(const caching::PurgeRequest& purge);

}   // namespace proxyd::proxy
