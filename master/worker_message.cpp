#include "master/worker_message.h"

namespace proxyd::master {
namespace {

// Present and of that form, or not there.
bool is_number(const nlohmann::json& body, const char* key) {
  const auto found = body.find(key);
  return found == body.end() || found->is_number_unsigned();
}

bool is_text(const nlohmann::json& body, const char* key) {
  const auto found = body.find(key);
  return found == body.end() || found->is_string();
}

}   // namespace

bool is_well_formed(const ipc::Message& message) {
  const nlohmann::json& body = message.body;
  return body.is_object() && is_number(body, "revision") && is_number(body, "epoch") && is_text(body, "pointer") &&
         is_text(body, "text") && is_text(body, "mode") && is_text(body, "client");
}

}   // namespace proxyd::master
