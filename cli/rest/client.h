#pragma once

#include <functional>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "shared/base/result.h"

namespace proxyd::cli {

using Json = nlohmann::ordered_json;

// Exit codes, part of the interface.
enum class Exit : int {
  kOk = 0,
  kNegative = 1,
  kUsage = 2,
  kUnreachable = 3,
  kNotAllowed = 4,
  kNotFound = 5,
  kConflict = 6,
  kInvalid = 7,
  kTimedOut = 8,
  kPartly = 9,
  kServerFailed = 10
};

struct Reply {
  int status = 0;
  std::string body;
  std::string content_type;
  std::string etag;
  std::string location;

  bool ok() const { return status >= 200 && status < 300; }
  bool is_json() const { return content_type.find("json") != std::string::npos; }
  // Discarded when it is none.
  Json json() const { return Json::parse(body, nullptr, false); }
};

// The exit code that a reply stands for.
Exit exit_of(const Reply& reply);

// Why there is no reply.
struct CallFailure {
  Exit exit = Exit::kUnreachable;
  std::string message;
  std::string hint;
};

// Speaks REST with one server: `unix:PATH`, `http://HOST:PORT` or `https://HOST:PORT` (certificates are checked against
// the system's authorities, or SSL_CERT_FILE). A value of one command. Blocks; connecting is given 10 s, a reply what
// the call says.
class RestClient {
 public:
  RestClient(std::string address, std::string token) : address_(std::move(address)), token_(std::move(token)) {}

  struct Call {
    std::string method = "GET";
    std::string path;   // with query
    std::string body = {};
    std::string content_type = "application/json";
    std::map<std::string, std::string> fields = {};
    int timeout_seconds = 30;
  };
  Result<Reply, CallFailure> call(const Call& call) const;

  struct Event {
    std::string id;
    std::string kind;
    std::string data;
  };
  // Server-sent events after `last_id`, one call of `each` for every one; ends when it returns false, when nothing came
  // for `patience_ms`, or when the stream ends.
  Result<void, CallFailure> events(const std::string& path, const std::string& last_id, int patience_ms,
                                   const std::function<bool(const Event&)>& each) const;

  const std::string& address() const { return address_; }

 private:
  std::string address_;
  std::string token_;
};

// Whether `--addr` may say so; empty when it may, else what is wrong with it.
std::string fault_in_address(const std::string& address);

// Percent-encodes one segment of a path or a query value.
std::string encoded(const std::string& text);

}   // namespace proxyd::cli
