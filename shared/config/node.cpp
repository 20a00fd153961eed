#include "shared/config/node.h"

#include <algorithm>

namespace proxyd::config {
namespace {

std::string unescaped(std::string_view step) {
  std::string key;
  for (size_t at = 0; at < step.size(); ++at) {
    if (step[at] == '~' && at + 1 < step.size()) {
      key += step[++at] == '1' ? '/' : '~';
    } else {
      key += step[at];
    }
  }
  return key;
}

const Node* child(const Node& node, const std::string& key) {
  if (node.kind == Node::Kind::kMap) return node.find(key);
  const bool number = !key.empty() && key.size() < 7 &&
                      std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (node.kind != Node::Kind::kList || !number) return nullptr;
  const size_t index = std::stoul(key);
  return index < node.items.size() ? &node.items[index] : nullptr;
}

}   // namespace

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name.text == key) return &value;
  }
  return nullptr;
}

const Node& Node::at(std::string_view pointer) const {
  const Node* node = this;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const size_t slash = std::min(pointer.find('/'), pointer.size());
    const Node* next = child(*node, unescaped(pointer.substr(0, slash)));
    if (!next) break;
    node = next;
    pointer.remove_prefix(slash);
  }
  return *node;
}

std::string pointer_step(std::string_view key) {
  std::string step;
  for (const char c : key) {
    if (c == '~') {
      step += "~0";
    } else if (c == '/') {
      step += "~1";
    } else {
      step += c;
    }
  }
  return step;
}

}   // namespace proxyd::config
