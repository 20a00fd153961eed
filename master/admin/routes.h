#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

using Handler = AdminAnswer (*)(const AdminRequest&, Context&);

// What a call does to the server: nothing, or only to who is logged in, or it changes something (and is audited, can be
// tried by dry_run, and is refused in read-only mode).
enum class Effect { kNone, kLogin, kChange };

// One line of the API: the router, the OpenAPI document and the test of both read this table alone.
struct Route {
  std::string_view method;
  std::string_view pattern;   // "/api/v1/revisions/{n}:activate"
  std::string_view scope;     // empty: see `open`
  Effect effect = Effect::kNone;
  Handler handler = nullptr;             // none: a stream
  std::vector<std::string_view> query;   // parameters it knows; others are 400
  std::vector<int> answers;              // beside problems
  std::vector<int> problems;             // beside those that its kind has: see `statuses_of`
  std::vector<std::string_view> produces;
  std::string_view summary;
  bool open = false;            // nobody need log in
  bool audited_later = false;   // it waits for no database

  bool is_stream() const { return !handler; }
  bool takes_body() const { return method == "PUT" || method == "POST" || method == "PATCH"; }
  bool takes_yaml() const {
    return pattern.starts_with("/api/v1/config") && pattern.find('{') == std::string_view::npos && method != "PATCH";
  }
};

std::span<const Route> routes();

// The route and the parameters of its path, still encoded; or the methods that the path exists under.
struct Found {
  const Route* route = nullptr;
  std::map<std::string, std::string> parameters;
  std::vector<std::string_view> other_methods;
};
Found find_route(std::string_view method, std::string_view path);

// Every status with which this line may answer, sorted.
std::vector<int> statuses_of(const Route& route);

}   // namespace proxyd::admin
