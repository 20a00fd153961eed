#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "master/admin/exchange.h"
#include "shared/base/clock.h"

namespace proxyd::admin {

// Takes a JSON body apart: each key that a call knows is taken by its type; what is of another type, and every key that
// nobody took, is an error of the answer, all at once. Lives within one call.
class BodyFields {
 public:
  explicit BodyFields(const Json& body) : body_(body) {}

  // Absent and null are nothing.
  const Json* any(const char* key);
  std::optional<std::string> text(const char* key, size_t most = 1024);
  // A list of texts that are not empty; absent is an empty one.
  std::vector<std::string> texts(const char* key, size_t most, size_t longest);
  // From `least` to `most`, both included.
  std::optional<milliseconds> duration(const char* key, milliseconds least, milliseconds most);
  void fault_at(const std::string& pointer, const std::string& code, const std::string& message);
  void fault(const std::string& key, const std::string& code, const std::string& message);
  // After everything was taken.
  std::optional<AdminAnswer> refusal();

 private:
  const Json& body_;
  std::set<std::string> known_;
  std::vector<config::Problem> problems_;
};

// Names in the API and the document: [A-Za-z0-9._-]{1,64}.
bool is_name(std::string_view text);

}   // namespace proxyd::admin
