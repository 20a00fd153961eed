#include "shared/authentication/strict_json.h"

#include <set>
#include <string>
#include <vector>

namespace proxyd::authentication {
namespace {

using nlohmann::json;

constexpr int kDeepest = 8;

// Watches the parser; once something is wrong it stays so.
class Watch {
 public:
  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    if (depth > kDeepest) good_ = false;
    if (event == json::parse_event_t::object_start) names_.emplace_back();
    if (event == json::parse_event_t::object_end) names_.pop_back();
    if (event == json::parse_event_t::key && good_)
      good_ = names_.back().insert(parsed.get_ref<const std::string&>()).second;
    return true;
  }
  bool good() const { return good_; }

 private:
  std::vector<std::set<std::string>> names_;
  bool good_ = true;
};

}   // namespace

std::optional<json> read_strict_object(std::string_view text) {
  Watch watch;
  json read = json::parse(text.begin(), text.end(), std::ref(watch), false);
  if (read.is_discarded() || !read.is_object() || !watch.good()) return std::nullopt;
  return read;
}

std::optional<std::string> text_at(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

}   // namespace proxyd::authentication
