#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

using Handler = AdminAnswer (*)(const AdminRequest&, Context&);

// One line of the API: the router, the OpenAPI document and the test of both read this table alone.
struct Route {
  std::string_view method;
  std::string_view pattern;               // "/api/v1/revisions/{n}:activate"
  std::string_view scope;                 // empty: nobody need log in
  Handler handler;
  std::vector<std::string_view> query;    // parameters it knows; others are 400
  std::string_view summary;
};

std::span<const Route> routes();

// The route and the parameters of its path; or whether the path exists under another method.
struct Found {
  const Route* route = nullptr;
  std::map<std::string, std::string> parameters;
  std::vector<std::string_view> other_methods;
};
Found find_route(std::string_view method, std::string_view path);

Json open_api();

}  // namespace proxyd::admin
