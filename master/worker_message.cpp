#include "master/worker_message.h"

#include <algorithm>
#include <string>

namespace proxyd::master {
namespace {

constexpr size_t kMostKinds = 16;      // of what a PURGE names
constexpr size_t kMostSubjects = 64;   // of a kind
constexpr size_t kLongestSubject = 2048;
constexpr size_t kLongestClient = 1024;

// Present and of that form, or not there.
bool is_number(const nlohmann::json& body, const char* key) {
  const auto found = body.find(key);
  return found == body.end() || found->is_number_unsigned();
}

bool is_text(const nlohmann::json& body, const char* key) {
  const auto found = body.find(key);
  return found == body.end() || found->is_string();
}

bool is_short_text(const nlohmann::json& value, size_t most) {
  return value.is_string() && value.get_ref<const std::string&>().size() <= most;
}

bool is_list_of_subjects(const nlohmann::json& value) {
  if (!value.is_array())
    return value.is_number_unsigned() || is_short_text(value, kLongestSubject);   // how many; a ban
  return value.size() <= kMostSubjects && std::all_of(value.begin(), value.end(), [](const nlohmann::json& one) {
           return is_short_text(one, kLongestSubject);
         });
}

// The subjects of each kind, and of a ban what it is of: nothing that is deeper or larger than a worker makes it.
bool is_purge(const nlohmann::json& body) {
  const auto subjects = body.find("subjects");
  const bool has_words = body.contains("mode") && is_short_text(body["mode"], 8) && body.contains("client") &&
                         is_short_text(body["client"], kLongestClient);
  if (!has_words || subjects == body.end() || !subjects->is_object() || subjects->size() > kMostKinds) return false;
  return std::all_of(subjects->begin(), subjects->end(), [](const nlohmann::json& one) {
    if (!one.is_object()) return is_list_of_subjects(one);
    return one.size() <= kMostKinds && std::all_of(one.begin(), one.end(), is_list_of_subjects);
  });
}

}   // namespace

bool is_well_formed(const ipc::Message& message) {
  const nlohmann::json& body = message.body;
  return body.is_object() && is_number(body, "revision") && is_number(body, "epoch") && is_text(body, "pointer") &&
         is_text(body, "text") && (message.type != ipc::MessageType::kPurged || is_purge(body));
}

}   // namespace proxyd::master
