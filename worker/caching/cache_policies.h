#pragma once

#include <map>
#include <string>

#include "shared/config/model.h"
#include "worker/caching/policy.h"

namespace proxyd::caching {

// The cache policies of a document by name, compiled for the rules of worker/caching. Immutable; owned by the
// configuration of a snapshot, so that a policy's address holds as long as that is held. Nothing suspends or fails:
// the document was checked.
class CachePolicies {
 public:
  explicit CachePolicies(const config::Document& document);

  bool empty() const { return by_name_.empty(); }
  // Null where nothing is cached.
  const Policy* of_route(const config::Route& route) const;

 private:
  std::map<std::string, Policy> by_name_;
};

}   // namespace proxyd::caching
