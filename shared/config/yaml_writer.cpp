#include <yaml-cpp/yaml.h>

#include "shared/config/decode.h"

namespace proxyd::config {
namespace {

// Texts are always in double quotes where YAML could read them as something else; yaml-cpp decides by its own, older
// rules, so only what is plainly a word is left bare.
bool is_plain_word(const std::string& text) {
  if (text.empty() || text.size() > 64) return false;
  for (const std::string_view word :
       {"true", "false", "null", "True", "False", "Null", "TRUE", "FALSE", "NULL", "yes", "no", "Yes",
        "No",   "YES",   "NO",   "On",   "ON",    "Off",  "OFF",  "y",     "n",    "Y",   "N"}) {
    if (text == word) return false;
  }
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(text[0]) && text[0] != '/') return false;
  for (const char c : text) {
    if (!letter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.' && c != '/') return false;
  }
  return true;
}

void emit_text(YAML::Emitter& out, const std::string& text) {
  if (!is_plain_word(text)) out << YAML::DoubleQuoted;
  out << text;
}

void emit(YAML::Emitter& out, const Json& json) {
  if (json.is_object()) {
    out << (json.empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
    for (const auto& [key, value] : json.items()) {
      out << YAML::Key;
      emit_text(out, key);
      out << YAML::Value;
      emit(out, value);
    }
    out << YAML::EndMap;
  } else if (json.is_array()) {
    const bool scalars = json.empty() || !json.front().is_structured();
    out << (scalars ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
    for (const auto& item : json) emit(out, item);
    out << YAML::EndSeq;
  } else if (json.is_string()) {
    emit_text(out, json.get<std::string>());
  } else if (json.is_null()) {
    out << YAML::Null;
  } else {
    out << json.dump();
  }
}

}   // namespace

std::string to_yaml(const Json& canonical) {
  YAML::Emitter out;
  out.SetOutputCharset(YAML::EscapeNonAscii);
  emit(out, canonical);
  return std::string(out.c_str()) + "\n";
}

}   // namespace proxyd::config
