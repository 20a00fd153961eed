#include <fmt/format.h>

#include "shared/config/decode.h"
#include "shared/config/read_tls.h"
#include "shared/config/scalar.h"
#include "shared/config/schema.h"

namespace proxyd::config {
namespace {

Json schema_of(const ObjectType& type);

Json any_of(std::vector<Json> schemas) { return {{"anyOf", std::move(schemas)}}; }

// { key: … } and nothing beside.
Json only_key(const std::string& key, Json schema) {
  Json properties = Json::object();
  properties[key] = std::move(schema);
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", Json::array({key})},
          {"additionalProperties", false}};
}

Json schema_of(const ValueType& type);

Json map_schema(const ValueType& type) {
  Json schema{{"type", "object"},
              {"additionalProperties", schema_of(*type.item)},
              {"minProperties", type.least_items},
              {"maxProperties", type.most_items}};
  if (type.key_format == TextFormat::kStoredStatus) schema["propertyNames"] = Json{{"pattern", "^[2-5][0-9][0-9]$"}};
  if (type.key_format == TextFormat::kErrorStatus) schema["propertyNames"] = Json{{"pattern", "^[45][0-9][0-9]$"}};
  if (type.key_format == TextFormat::kName) schema["propertyNames"] = Json{{"pattern", "^[A-Za-z0-9._-]{1,64}$"}};
  return schema;
}

Json list_schema(const ValueType& type) {
  Json schema{{"type", "array"},
              {"items", schema_of(*type.item)},
              {"minItems", type.least_items},
              {"maxItems", type.most_items}};
  return type.may_be_one ? any_of({std::move(schema), schema_of(*type.item)}) : schema;
}

Json schema_of(const ValueType& type) {
  const Json text{{"type", "string"}};
  switch (type.kind) {
    case ValueKind::kDuration: return {{"type", "string"}, {"pattern", "^[0-9]+(ms|s|m|h|d|w)$"}};
    case ValueKind::kSize: return {{"type", "string"}, {"pattern", "^[0-9]+(B|KiB|MiB|GiB|TiB)$"}};
    case ValueKind::kCount:
    case ValueKind::kInteger: {
      Json schema{{"type", "integer"}, {"minimum", type.least}};
      if (type.most != INT64_MAX) schema["maximum"] = type.most;
      return schema;
    }
    case ValueKind::kBoolean: return {{"type", "boolean"}};
    case ValueKind::kText:
      if (type.format == TextFormat::kStatusRange) return {{"type", Json::array({"string", "integer"})}};
      return text;
    case ValueKind::kWord: {
      Json words = Json::array();
      for (const std::string_view word : type.words) words.push_back(word_value(word));
      return {{"enum", std::move(words)}};
    }
    case ValueKind::kList: return list_schema(type);
    case ValueKind::kMap: return map_schema(type);
    case ValueKind::kObject: return schema_of(*type.object);
    case ValueKind::kFieldValue: return any_of({text, only_key("file", text), Json{{"type", "null"}}});
    case ValueKind::kCondition:
      return any_of({text, only_key("regex", text), only_key("absent", Json{{"const", true}})});
  }
  return true;
}

Json schema_of(const ObjectType& type) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Key& key : type.keys) {
    if (!key.type) continue;
    Json schema = schema_of(*key.type);
    if (key.type->may_be_off) schema = any_of({std::move(schema), Json{{"const", "off"}}});
    if (key.inherited() || key.outermost()) schema = any_of({std::move(schema), Json{{"type", "null"}}});
    if (!key.meaning.empty()) schema["description"] = std::string(key.meaning);
    if (!key.default_json.empty()) schema["default"] = Json::parse(key.default_json);
    if (key.required()) required.push_back(std::string(key.name));
    properties[std::string(key.name)] = std::move(schema);
  }
  Json schema{{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

// Fills in what is absent and has a default that is a plain value; objects are entered.
void expand(const ObjectType& type, Json& json) {
  for (const Key& key : type.keys) {
    if (!key.type) continue;
    const std::string name(key.name);
    if (!json.contains(name) && !key.default_json.empty()) json[name] = Json::parse(key.default_json);
    if (!json.contains(name) || json[name].is_null()) continue;
    const ValueType* value = key.type;
    if (value->kind == ValueKind::kObject && json[name].is_object()) expand(*value->object, json[name]);
    const bool of_objects = (value->kind == ValueKind::kMap || value->kind == ValueKind::kList) && value->item->object;
    if (!of_objects) continue;
    for (auto& item : json[name]) expand(*value->item->object, item);
  }
}

}   // namespace

Json json_schema() {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "proxyd configuration document"}};
  schema.update(schema_of(document_type()));
  return schema;
}

Json expanded(const Json& canonical) {
  Json json = canonical;
  expand(document_type(), json);
  for (auto& listener : json["listeners"]) {
    if (listener.contains("protocols")) continue;
    listener["protocols"] = read_protocols(listener).h2 ? Json::array({"h2", "h1"}) : Json::array({"h1"});
  }
  return json;
}

}   // namespace proxyd::config
