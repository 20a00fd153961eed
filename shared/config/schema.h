#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace proxyd::config {

// The one registry of the document: every object with its keys in order, their types, defaults and meaning. The
// decoder, the defaults, the JSON Schema and the reference come from it. Constant for a build.
struct ObjectType;

enum class ValueKind {
  kDuration,
  kSize,
  kCount,
  kInteger,
  kBoolean,
  kText,
  kWord,
  kList,
  kMap,
  kObject,
  kFieldValue,   // text, or { file: PATH }
  kCondition,    // text, "*", { regex: TEXT } or { absent: true }
};

enum class TextFormat {
  kAny,
  kNotEmpty,
  kName,
  kCidr,
  kFieldName,
  kFieldPattern,
  kTemplate,
  kRegex,
  kPath,
  kFilePath,
  kListenAddress,
  kTargetAddress,
  kHostPattern,
  kMethod,
  kSplitKey,
  kRequestKey,   // a split's key, or the path
  kUpstreamHost,
  kRetryCondition,
  kStatusRange,        // "200-299", or one status
  kCheckHost,          // a host name or an address, with a port or without
  kToken,              // a field name that is only looked at
  kFieldContent,       // a field value without variables
  kLocation,           // a template that may not be empty
  kPathTemplate,       // a template that makes a path
  kStoredStatus,       // a status that a cache can store
  kErrorStatus,        // of an answer that something is wrong
  kParameterPattern,   // a query parameter, or a prefix that ends in `*`
  kCookiePattern,
  kPathPattern,
  kRate,        // "50/s": so many in a time
  kOctetRate,   // "2MiB/s"
};

struct ValueType {
  ValueKind kind = ValueKind::kText;
  bool may_be_off = false;
  TextFormat format = TextFormat::kAny;
  std::vector<std::string_view> words = {};    // of kWord
  const ValueType* item = nullptr;             // of kList and kMap
  const ObjectType* object = nullptr;          // of kObject
  TextFormat key_format = TextFormat::kName;   // of kMap
  int64_t least = 0;
  int64_t most = INT64_MAX;
  size_t least_items = 0;
  size_t most_items = 1024;
  bool may_be_one = false;   // of kList: an item alone is a list of it
};

struct Key {
  std::string_view name;
  const ValueType* type = nullptr;      // null: no key here, as `meaning` says; empty: "not supported yet"
  std::string_view default_json = {};   // empty: none
  std::string_view meaning = {};
  uint8_t flags = 0;

  bool required() const { return (flags & 1) != 0; }
  bool inherited() const { return (flags & 2) != 0; }   // null drops what would be inherited
  bool rebind() const { return (flags & 4) != 0; }      // its change rebinds a socket
  bool outermost() const { return (flags & 8) != 0; }   // nothing is inherited here: null is the default
};

inline constexpr uint8_t kRequired = 1;
inline constexpr uint8_t kInherited = 2;
inline constexpr uint8_t kRebind = 4;
inline constexpr uint8_t kOutermost = 8;

struct ObjectType {
  std::string_view name;
  std::vector<Key> keys;

  const Key* find(std::string_view key) const;
};

const ObjectType& document_type();
// Whether a section of the document is a map of objects by name ("upstreams"), not one object ("logging").
bool is_map_of_objects(std::string_view section);

// The name in `names` that was probably meant, or empty.
std::string_view nearest(std::string_view wrong, const std::vector<std::string_view>& names);

}   // namespace proxyd::config
