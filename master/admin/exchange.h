#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shared/config/decode.h"

namespace proxyd::admin {

using config::Json;

// Who asks, and what they may.
struct Identity {
  std::string name;                      // "unix:root", "token:ab12cd"
  std::vector<std::string> scopes;
  bool over_unix = false;

  bool may(const std::string& scope) const;
};

// A request of the admin API, whole and checked for form; a value.
struct AdminRequest {
  std::string method;
  std::string path;                          // without query
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> parameters;   // of the path pattern
  std::string content_type;
  std::string accept;
  std::string if_match;
  std::string if_none_match;
  std::string body;
  std::string peer;
  Identity identity;

  std::string value(const std::string& name, const std::string& initial = {}) const {
    const auto found = query.find(name);
    return found == query.end() ? initial : found->second;
  }
  bool dry_run() const { return value("dry_run") == "true"; }
};

// Its answer; a value.
struct AdminAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::map<std::string, std::string> fields;
};

AdminAnswer json_answer(const Json& json, int status = 200);

// RFC 9457: `code` is the end of the type, title and status come from the table of admin.md 2.
AdminAnswer problem(const std::string& code, const std::string& detail, Json more = Json::object());
int status_of_problem(const std::string& code);

// Problems of a document, as `errors[]`.
Json problems_json(const std::vector<config::Problem>& problems);

// A JSON body, strictly; or the problem to answer with.
struct Body {
  Json json;
  std::optional<AdminAnswer> refusal;
};
Body read_json_body(const AdminRequest& request);

}  // namespace proxyd::admin
