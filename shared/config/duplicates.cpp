#include "shared/config/duplicates.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "shared/config/problem_list.h"

namespace proxyd::config {
namespace {

class Search {
 public:
  void node(const Node& node, const std::string& pointer) {
    if (node.kind == Node::Kind::kMap) keys(node, pointer);
    for (const Member& member : node.members) this->node(member.value, pointer + "/" + pointer_step(member.key.text));
    for (size_t i = 0; i < node.items.size(); ++i) this->node(node.items[i], fmt::format("{}/{}", pointer, i));
  }
  std::vector<Problem> take() { return problems_.take(); }

 private:
  // Sorted, so that a map of many thousand keys costs no more than its size.
  void keys(const Node& map, const std::string& pointer) {
    std::vector<const Node*> keys;
    for (const Member& member : map.members) keys.push_back(&member.key);
    std::sort(keys.begin(), keys.end(), [](const Node* a, const Node* b) {
      return std::tie(a->text, a->line, a->column) < std::tie(b->text, b->line, b->column);
    });
    const Node* first = nullptr;
    for (const Node* key : keys) {
      if (!first || first->text != key->text) {
        first = key;
        continue;
      }
      problems_.add({pointer + "/" + pointer_step(key->text), key->line, key->column, "duplicate-key",
                     fmt::format("key '{}' is given twice: first at line {}, column {}; remove one of them", key->text,
                                 first->line, first->column),
                     ""});
    }
  }

  ProblemList problems_;
};

}   // namespace

std::vector<Problem> find_duplicate_keys(const Node& root) {
  Search search;
  search.node(root, "");
  return search.take();
}

}   // namespace proxyd::config
