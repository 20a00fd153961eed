#pragma once

#include <functional>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "shared/base/result.h"

namespace proxyd::cli {

using Json = nlohmann::ordered_json;

// Exit codes, part of the interface (admin.md 4).
enum class Exit : int {
  kOk = 0, kNegative = 1, kUsage = 2, kUnreachable = 3, kNotAllowed = 4, kNotFound = 5, kConflict = 6, kInvalid = 7,
  kTimedOut = 8, kPartly = 9, kServerFailed = 10
};

struct Reply {
  int status = 0;
  std::string body;
  std::string etag;
  std::string location;

  bool ok() const { return status >= 200 && status < 300; }
  Json json() const { return Json::parse(body, nullptr, false); }
};

// The exit code that a reply stands for.
Exit exit_of(const Reply& reply);

// Speaks REST with one server: `unix:PATH`, `http://HOST:PORT` or `https://HOST:PORT`. A value of one command; waits at
// most `timeout` seconds for a reply. Fails when there is nobody.
class RestClient {
 public:
  RestClient(std::string address, std::string token) : address_(std::move(address)), token_(std::move(token)) {}

  struct Call {
    std::string method;
    std::string path;                            // with query
    std::string body;
    std::string content_type = "application/json";
    std::map<std::string, std::string> fields;
    int timeout_seconds = 30;
  };
  Result<Reply> call(const Call& call) const;
  Result<Reply> get(const std::string& path) const { return call({"GET", path, "", "", {}}); }
  // Server-sent events, one call of `each` for every one; ends when it returns false or the stream does.
  Result<bool> events(const std::string& path, const std::function<bool(const std::string& kind, const std::string& data)>& each) const;

  const std::string& address() const { return address_; }

 private:
  std::string address_;
  std::string token_;
};

// Percent-encodes one segment of a path or a query value.
std::string encoded(const std::string& text);

}  // namespace proxyd::cli
