#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/config/model.h"

namespace proxyd::config {

// Canonical documents keep the order of the schema, so objects keep the order of their insertion.
using Json = nlohmann::ordered_json;

// One thing wrong with a document, for people and for programs.
struct Problem {
  std::string pointer;   // RFC 6901, "/hosts/www/routes/0/match"
  int line = 0;          // 1-based; 0 where the document had no text (an API body is text, too)
  int column = 0;
  std::string code;         // "unknown-key", "duplicate-key", "type", "unit", "range", "reference", "unsupported", …
  std::string message;      // what is wrong and what would be right
  std::string suggestion;   // "did you mean …", or empty
};

// The outcome of reading a document: all problems at once, or the model. Warnings never stop it.
struct Decoded {
  bool syntax_ok = true;   // false: not parseable (HTTP 400); true with problems: parsed but not valid (422)
  std::vector<Problem> problems;
  std::vector<Problem> warnings;
  Json canonical;      // keys in schema order, maps by name, defaults omitted; null unless valid
  Document document;   // inheritance resolved; default unless valid
  bool valid() const { return problems.empty(); }
};

enum class Format { kYaml, kJson };

// YAML when the text is not JSON: a document that begins with `{` after white space is JSON (RFC 8259), else YAML 1.2
// core schema.
Format guess_format(std::string_view text);

// text → nodes with line and column → canonical JSON → model, all errors at once. Pure: no file,
// no clock, any process. Bounded: 8 MiB of text, 100,000 nodes after aliases, depth 64.
Decoded decode(std::string_view text, Format format);

// The same for a document that is already JSON (a patched one, a stored one): problems have pointers but no lines.
Decoded decode(const Json& document);

// Canonical JSON as YAML text that decodes to the same document.
std::string to_yaml(const Json& canonical);

// The document with every default written out: what upgrade preflight compares.
Json expanded(const Json& canonical);

// The JSON Schema (2020-12) of the document, made from the registry that also decodes it.
Json json_schema();

// A difference between two canonical documents.
struct Change {
  std::string op;        // add | remove | replace | reorder (names that both lists have, as they follow each other)
  std::string pointer;   // in the older one, but for what is added
  Json from;             // null for add
  Json to;               // null for remove
  std::string change_class;   // live | rebind
};

// What differs, in document order; empty when nothing does.
std::vector<Change> diff(const Json& from, const Json& to);

}   // namespace proxyd::config
