#include <fmt/format.h>
#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "shared/base/bytes.h"
#include "shared/config/node.h"

namespace proxyd::config {
namespace {

Problem problem_at(const YAML::Mark& mark, std::string code, std::string message) {
  return {"", mark.line + 1, mark.column + 1, std::move(code), std::move(message), ""};
}

// A plain scalar by the core schema (YAML 1.2.2 10.3.2): `on`, `off`, `yes` and `no` are text.
Node::Kind kind_of_plain(const std::string& text) {
  static const RE2 integer("[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+");
  static const RE2 real("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)");
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return Node::Kind::kNull;
  for (const std::string_view word : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
    if (text == word) return Node::Kind::kBoolean;
  }
  if (RE2::FullMatch(text, integer)) return Node::Kind::kInteger;
  return RE2::FullMatch(text, real) ? Node::Kind::kReal : Node::Kind::kText;
}

class YamlReader {
 public:
  Node convert(const YAML::Node& yaml, int depth) {
    Node node;
    node.line = yaml.Mark().line + 1;
    node.column = yaml.Mark().column + 1;
    if (full_) return node;
    if (depth > kMaxDepth) return stop(yaml, "depth", fmt::format("nested deeper than {} levels", kMaxDepth)), node;
    if (++nodes_ > kMaxNodes) {
      return stop(yaml, "nodes", fmt::format("more than {} values after aliases are expanded", kMaxNodes)), node;
    }
    if (yaml.IsMap()) {
      map(node, yaml, depth);
    } else if (yaml.IsSequence()) {
      node.kind = Node::Kind::kList;
      for (const YAML::Node& item : yaml) node.items.push_back(convert(item, depth + 1));
    } else if (yaml.IsScalar()) {
      scalar(node, yaml);
    }
    return node;
  }
  std::vector<Problem> take_problems() { return std::move(problems_); }

 private:
  void stop(const YAML::Node& yaml, std::string code, std::string message) {
    full_ = true;
    problems_.push_back(problem_at(yaml.Mark(), std::move(code), std::move(message)));
  }

  void scalar(Node& node, const YAML::Node& yaml) {
    node.text = yaml.Scalar();
    const std::string& tag = yaml.Tag();
    if (tag != "?" && tag != "!" && tag != "" && tag != "tag:yaml.org,2002:str") {
      problems_.push_back(problem_at(yaml.Mark(), "syntax", fmt::format("tag '{}' is not supported", tag)));
    }
    node.kind = tag == "?" || tag.empty() ? kind_of_plain(node.text) : Node::Kind::kText;
    if (node.kind == Node::Kind::kBoolean) node.text = node.text[0] == 't' || node.text[0] == 'T' ? "true" : "false";
  }

  void map(Node& node, const YAML::Node& yaml, int depth) {
    node.kind = Node::Kind::kMap;
    for (const auto& member : yaml) {
      if (!member.first.IsScalar()) {
        problems_.push_back(problem_at(member.first.Mark(), "syntax", "a key must be a plain word"));
        continue;
      }
      Node key = convert(member.first, depth + 1);
      const Node* same = nullptr;
      for (const auto& [other, value] : node.members) {
        if (other.text == key.text) same = &other;
      }
      if (same) {
        problems_.push_back(problem_at(member.first.Mark(), "duplicate-key",
                                       fmt::format("key '{}' is given twice: first at line {}, column {}", key.text,
                                                   same->line, same->column)));
      }
      Node value = convert(member.second, depth + 1);
      node.members.push_back({std::move(key), std::move(value)});
    }
  }

  size_t nodes_ = 0;
  bool full_ = false;
  std::vector<Problem> problems_;
};

}  // namespace

Read read_yaml(std::string_view text) {
  if (text.size() > kMaxDocument) return {{}, {{"", 0, 0, "size", "the document is larger than 8 MiB", ""}}};
  if (!is_utf8(text)) return {{}, {{"", 0, 0, "utf-8", "the document is not well-formed UTF-8", ""}}};
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) return {{}, {problem_at(documents[1].Mark(), "syntax", "more than one YAML document")}};
    if (documents.empty()) return {};
    YamlReader reader;
    Node root = reader.convert(documents.front(), 0);
    return {std::move(root), reader.take_problems()};
  } catch (const YAML::Exception& error) {
    return {{}, {problem_at(error.mark, "syntax", error.msg)}};
  }
}

}  // namespace proxyd::config
