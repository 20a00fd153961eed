#pragma once

#include <re2/re2.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shared/config/model.h"
#include "shared/config/snapshot.h"
#include "worker/routing/conditions.h"
#include "worker/routing/error_page.h"
#include "worker/routing/field_edits.h"
#include "worker/routing/request_facts.h"
#include "worker/routing/rewrite.h"
#include "worker/routing/split.h"
#include "worker/routing/value_template.h"

namespace proxyd::routing {

// A route, compiled. `index` counts over all routes of the document, so that others keep tables beside it.
struct RouteEntry {
  RouteEntry(const config::Host& host, const config::Route& route, uint32_t number, const config::Materials& materials);

  const config::Route& settings;
  uint32_t index;
  Conditions conditions;
  std::unique_ptr<RE2> expression;   // of a path_regex
  std::optional<Rewrite> rewrite;
  FieldEdits request_edits;
  FieldEdits response_edits;
  std::optional<ValueTemplate> redirect;
  std::optional<Split> split;
};

struct HostEntry {
  HostEntry(const config::Host& host, uint32_t number, const config::Materials& materials);

  const config::Host& settings;
  uint32_t index;
  FieldEdits response_edits;   // for answers that no route made
  ErrorPages error_pages;
  std::optional<config::Closed> closed;   // in maintenance
  std::string hsts;                       // the value of Strict-Transport-Security by https, or nothing
  std::vector<std::unique_ptr<RouteEntry>> routes;
  // nginx's order; each list holds indices into `routes` in file order.
  std::unordered_map<std::string_view, std::vector<uint32_t>> exact;
  std::vector<uint32_t> expressions;
  std::map<size_t, std::unordered_map<std::string_view, std::vector<uint32_t>>, std::greater<>> prefixes;   // by length
};

struct Matched {
  const HostEntry* host = nullptr;
  const RouteEntry* route = nullptr;
};

// Finds the host and the route of a request. Compiled from the document when a snapshot is prepared and immutable from
// then on; owned by the worker's configuration, whose document outlives it. Looking up allocates nothing.
class Matcher {
 public:
  Matcher(const config::Document& document, const config::Materials& materials);

  // What `explain` wants to hear of: every candidate and why it was not taken (empty: it was).
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void candidate(const RouteEntry& route, std::string_view rank, std::string_view failed) = 0;
  };

  // Stores the captures of a path_regex in `facts`.
  Matched find(RequestFacts& facts, Observer* observer = nullptr) const;

  const std::vector<std::unique_ptr<HostEntry>>& hosts() const { return hosts_; }
  const FieldEdits& default_response_edits() const { return default_response_edits_; }

 private:
  struct Names {
    std::unordered_map<std::string_view, const HostEntry*> exact;
    std::unordered_map<std::string_view, const HostEntry*> suffixes;   // ".example.com" of "*.example.com"
    const HostEntry* any = nullptr;
  };
  const HostEntry* find_host(const RequestFacts& facts) const;
  static const RouteEntry* find_ranked(const HostEntry& host, RequestFacts& facts, Observer* observer);
  static const RouteEntry* find_first(const HostEntry& host, RequestFacts& facts, Observer* observer);
  void add_names(const HostEntry& host, Names& names);

  std::vector<std::unique_ptr<HostEntry>> hosts_;
  std::unordered_map<std::string_view, Names> listeners_;
  FieldEdits default_response_edits_;
  uint32_t route_count_ = 0;
};

}   // namespace proxyd::routing
