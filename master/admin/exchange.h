#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/clock.h"
#include "shared/config/decode.h"

namespace proxyd::admin {

using config::Json;
struct Route;

// The process at the other end of the unix socket, as the kernel knows it.
struct Peer {
  uid_t uid = 0;
  std::vector<gid_t> groups;
};

// Who asks, and what they may.
struct Identity {
  enum class Kind { kNobody, kPeer, kToken, kSession };
  Kind kind = Kind::kNobody;
  std::string name;   // "unix:root", "token:ab12cd", "session:root"
  std::vector<std::string> scopes;
  std::string expires;   // RFC 3339, or empty

  bool known() const { return kind != Kind::kNobody; }
  bool may(std::string_view scope) const;
};

// Which of the three doors a request came in by.
enum class Door { kUnix, kTcp, kMetrics };

// A request of the admin API as it arrived; a value. `admit` fills in who asks and which line of the table it is.
struct AdminRequest {
  std::string method;
  std::string path;   // without query
  std::string query_text;
  std::map<std::string, std::string> fields;   // names in lower case
  std::vector<std::string> repeated_fields;    // those given more than once
  std::string body;
  std::string peer;   // an address, or "unix:uid"
  Door door = Door::kTcp;
  std::optional<Peer> credentials;   // on the unix socket

  std::map<std::string, std::string> query;
  std::map<std::string, std::string> parameters;   // of the path pattern
  Identity identity;
  const Route* route = nullptr;

  std::string field(const std::string& name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  }
  std::string value(const std::string& name, const std::string& initial = {}) const {
    const auto found = query.find(name);
    return found == query.end() ? initial : found->second;
  }
  // `?force` and `?force=true`.
  bool flag(const std::string& name) const { return query.contains(name) && value(name) != "false"; }
  bool dry_run() const { return flag("dry_run"); }
  milliseconds duration(const std::string& name, milliseconds usual, milliseconds most) const;
};

// Its answer; a value.
struct AdminAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::map<std::string, std::string> fields;
  bool is_live = false;      // has more in it than what its ETag is about: never 304
  std::string request_id;    // of a problem
  std::string why;           // of a 5xx: for the log, never for the caller; else for the audit
  bool is_renewal = false;   // nothing but a lease was put again: no line of the audit is worth it

  bool ok() const { return status < 300; }
};

AdminAnswer json_answer(const Json& json, int status = 200);

// RFC 9457: `code` is the end of the type, title and status come from one table. A 5xx tells the caller
// no more than that and a request id; `detail` goes to the log.
AdminAnswer problem(const std::string& code, const std::string& detail, Json more = Json::object());
// 422 with one error at `pointer`.
AdminAnswer invalid(const std::string& pointer, const std::string& code, const std::string& message);
// The status of a problem, or nothing when there is no such code.
std::optional<int> status_of_problem(std::string_view code);
std::string title_of_problem(std::string_view code);
// Every code that answers with `status`.
std::vector<std::string> problems_of_status(int status);

// Problems of a document, as `errors[]`.
Json problems_json(const std::vector<config::Problem>& problems);

// A JSON body, strictly; or the problem to answer with. No body is an empty object.
struct Body {
  Json json;
  std::optional<AdminAnswer> refusal;
};
Body read_json_body(const AdminRequest& request);

}   // namespace proxyd::admin
