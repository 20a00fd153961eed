#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "shared/config/node.h"

using nlohmann::json;
using proxyd::config::Node;
using proxyd::config::Read;

namespace {

json to_json(const Node& node) {
  if (node.kind == Node::Kind::kMap) {
    json map = json::object();
    for (const auto& [key, value] : node.members) map[key.text] = to_json(value);
    return map;
  }
  if (node.kind == Node::Kind::kList) {
    json list = json::array();
    for (const Node& item : node.items) list.push_back(to_json(item));
    return list;
  }
  if (node.kind == Node::Kind::kNull) return nullptr;
  return node.kind == Node::Kind::kText ? json(node.text) : json::parse(node.text);
}

// What the reader refuses although RFC 8259 allows it.
bool may_be_refused(const std::string& code, const std::string& text) {
  if (code != "syntax") return true;   // duplicate keys, bounds, lone surrogates
  return text.starts_with("\xEF\xBB\xBF") || text.find("-0") != std::string::npos ||
         text.find_first_of("eE") != std::string::npos || text.size() > 300;
}

}   // namespace

// Oracle: another parser takes what ours takes and finds the same in it; what only the other takes is refused for one
// of few known reasons, at a place inside the text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Read read = proxyd::config::read_json(text);
  const json other = json::parse(text, nullptr, false);
  if (read.problems.empty()) {
    if (other.is_discarded() || to_json(read.root) != other) std::abort();
    return 0;
  }
  const proxyd::config::Problem& problem = read.problems.front();
  if (problem.line < 1 || problem.column < 1 || static_cast<size_t>(problem.column) > size + 1) std::abort();
  if (!other.is_discarded() && !may_be_refused(problem.code, text)) std::abort();
  return 0;
}
