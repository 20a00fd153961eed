#include "shared/config/read_limits.h"

#include "shared/config/json_read.h"

namespace proxyd::config {
namespace {

using Strings = std::vector<std::string>;

}   // namespace

AccessList read_access_list(const std::string& name, const Json& json) {
  return {.name = name, .allow = value_or(json, "allow", Strings()), .deny = value_or(json, "deny", Strings())};
}

}   // namespace proxyd::config
