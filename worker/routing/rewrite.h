#pragma once

#include <string_view>

#include "shared/config/model.h"
#include "worker/routing/request_facts.h"
#include "worker/routing/value_template.h"

namespace proxyd::routing {

// What a route makes of the path before the target sees it, compiled once a snapshot. The query stays. The new path
// is normalized again and always begins with "/".
class Rewrite {
 public:
  explicit Rewrite(const config::Rewrite& rules);
  std::string_view apply(std::string_view path, const RequestFacts& facts, http::Arena& arena) const;
  // Two requests for one path may be rewritten to two.
  bool reads_request() const { return path_.reads_request(); }

 private:
  const config::Rewrite rules_;
  ValueTemplate path_;
};

// `prefix` taken off by whole segments: "/api" off "/api/x" is "/x", off "/apiary" nothing.
std::string_view strip_prefix(std::string_view path, std::string_view prefix);
bool has_prefix(std::string_view path, std::string_view prefix);

}   // namespace proxyd::routing
