#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "worker/http/arena.h"
#include "worker/proxy/configuration.h"
#include "worker/routing/client.h"

namespace proxyd::worker {

// The request that a question of the master is about: method, url, headers, client, listener (else the first), as it
// would have come in over the network. Lives within one answer.
class AskedRequest {
 public:
  AskedRequest(const proxy::Configuration& configuration, const nlohmann::json& question);
  AskedRequest(const AskedRequest&) = delete;
  AskedRequest& operator=(const AskedRequest&) = delete;

  // Why no request can be such, or empty.
  const std::string& fault() const { return fault_; }

  http::Arena& arena() { return arena_; }
  const http::RequestHead& head() const { return head_; }
  routing::RequestFacts& facts() { return facts_; }
  const std::string& listener() const { return listener_; }

 private:
  std::string read(const nlohmann::json& question);

  http::Arena arena_;
  http::RequestHead head_{arena_};
  routing::RequestFacts facts_;
  std::string method_;
  std::string url_;
  std::string client_text_;
  std::string listener_;
  std::string fault_;
};

// A text of a question, or what is meant without it.
std::string text_in(const nlohmann::json& question, const char* key, const char* initial);

}   // namespace proxyd::worker
