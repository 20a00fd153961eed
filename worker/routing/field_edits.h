#pragma once

#include <map>
#include <string>
#include <vector>

#include "shared/config/model.h"
#include "worker/http/fields.h"
#include "worker/routing/request_facts.h"
#include "worker/routing/value_template.h"

namespace proxyd::routing {

// Edits of a field section, compiled once a snapshot: first what is removed, then set, added, and set where absent.
// Immutable; owned by its route.
class FieldEdits {
 public:
  FieldEdits() = default;
  // `files` holds the contents of files that values name.
  FieldEdits(const config::FieldEdits& edits, const std::map<std::string, std::string>& files);

  bool empty() const { return edits_.empty(); }
  // In lower case, the fields that it gives another value from request to request.
  const std::vector<std::string>& varying() const { return varying_; }
  void apply(http::Fields& fields, const RequestFacts& facts) const;

 private:
  enum class Kind : uint8_t { kRemove, kRemovePrefix, kSet, kAdd, kSetIfAbsent };
  struct Edit {
    Kind kind;
    std::string name;
    ValueTemplate value;
  };
  std::vector<Edit> edits_;
  std::vector<std::string> varying_;
};

}   // namespace proxyd::routing
