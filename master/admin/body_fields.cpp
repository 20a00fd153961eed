#include "master/admin/body_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/config/node.h"
#include "shared/config/units.h"

namespace proxyd::admin {

bool is_name(std::string_view text) {
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), is_part);
}

const Json* BodyFields::any(const char* key) {
  known_.insert(key);
  const auto found = body_.find(key);
  return found == body_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::string> BodyFields::text(const char* key, size_t most) {
  const Json* value = any(key);
  if (!value) return std::nullopt;
  if (value->is_string() && value->get_ref<const std::string&>().size() <= most) return value->get<std::string>();
  fault(key, "type", fmt::format("{} is a text of at most {} octets", key, most));
  return std::nullopt;
}

std::vector<std::string> BodyFields::texts(const char* key, size_t most, size_t longest) {
  std::vector<std::string> all;
  const Json* value = any(key);
  if (!value) return all;
  if (!value->is_array() || value->size() > most) {
    fault(key, value->is_array() ? "range" : "type", fmt::format("{} is a list of at most {} texts", key, most));
    return all;
  }
  for (size_t i = 0; i < value->size(); ++i) {
    const Json& one = (*value)[i];
    const size_t size = one.is_string() ? one.get_ref<const std::string&>().size() : 0;
    if (size > 0 && size <= longest)
      all.push_back(one.get<std::string>());
    else
      fault_at(fmt::format("/{}/{}", key, i), one.is_string() ? "range" : "type",
               fmt::format("each of {} is a text of 1 to {} octets", key, longest));
  }
  return all;
}

std::optional<milliseconds> BodyFields::duration(const char* key, milliseconds least, milliseconds most) {
  const Json* value = any(key);
  if (!value) return std::nullopt;
  const auto parsed = value->is_string() ? config::parse_duration(value->get<std::string>()) : std::nullopt;
  if (parsed && milliseconds(*parsed) >= least && milliseconds(*parsed) <= most) return milliseconds(*parsed);
  fault(key, parsed ? "range" : "unit",
        fmt::format("{} is a duration from {} to {}", key, config::format_duration(least.count()),
                    config::format_duration(most.count())));
  return std::nullopt;
}

void BodyFields::fault(const std::string& key, const std::string& code, const std::string& message) {
  fault_at("/" + config::pointer_step(key), code, message);
}

void BodyFields::fault_at(const std::string& pointer, const std::string& code, const std::string& message) {
  problems_.push_back({pointer, 0, 0, code, message, ""});
}

std::optional<AdminAnswer> BodyFields::refusal() {
  for (const auto& [key, value] : body_.items()) {
    if (known_.contains(key)) continue;
    fault(key, "unknown-key", fmt::format("'{}' is not known here; known: {}", key, fmt::join(known_, ", ")));
  }
  if (problems_.empty()) return std::nullopt;
  return problem("invalid", problems_.front().message, {{"errors", problems_json(problems_)}});
}

}   // namespace proxyd::admin
