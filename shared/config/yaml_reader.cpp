#include <fmt/format.h>
#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include <charconv>

#include "shared/base/bytes.h"
#include "shared/config/duplicates.h"
#include "shared/config/node.h"
#include "shared/config/problem_list.h"
#include "shared/config/readable.h"
#include "shared/config/yaml_size.h"

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

// Whole numbers may be octal, hexadecimal or signed in YAML; further on they are decimal, as in JSON.
std::string decimal(const std::string& text) {
  const bool octal = text.starts_with("0o");
  const bool hexadecimal = text.starts_with("0x");
  const size_t prefix = octal || hexadecimal ? 2 : text.starts_with('+') ? 1 : 0;
  const char* end = text.data() + text.size();
  int64_t value = 0;
  const auto [stopped, error] = std::from_chars(text.data() + prefix, end, value, octal ? 8 : hexadecimal ? 16 : 10);
  return error == std::errc() && stopped == end ? std::to_string(value) : text;
}

bool is_plain_tag(const std::string& tag) { return tag.empty() || tag == "?"; }

bool is_known_tag(const std::string& tag) { return is_plain_tag(tag) || tag == "!" || tag == "tag:yaml.org,2002:str"; }

// yaml-cpp's tree as ours, each alias as a copy of what it stands for. Stops at the first limit that is passed.
class YamlReader {
 public:
  Node convert(const YAML::Node& yaml, int depth) {
    Node node;
    node.line = yaml.Mark().line + 1;
    node.column = yaml.Mark().column + 1;
    if (full_ || !within_limits(yaml, depth)) return node;
    if (!is_known_tag(yaml.Tag())) {
      problems_.add(problem_at(yaml.Mark(), "syntax", fmt::format("tag '{}' is not supported; remove it", yaml.Tag())));
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
  std::vector<Problem> take_problems() { return problems_.take(); }

 private:
  bool within_limits(const YAML::Node& yaml, int depth) {
    if (depth > kMaxDepth) return stop(yaml, "depth", fmt::format("nested deeper than {} levels", kMaxDepth));
    if (++nodes_ <= kMaxNodes) return true;
    return stop(yaml, "nodes", fmt::format("more than {} values after aliases are expanded", kMaxNodes));
  }

  bool stop(const YAML::Node& yaml, std::string code, std::string message) {
    full_ = true;
    problems_.add(problem_at(yaml.Mark(), std::move(code), std::move(message)));
    return false;
  }

  static void scalar(Node& node, const YAML::Node& yaml) {
    node.text = yaml.Scalar();
    node.kind = is_plain_tag(yaml.Tag()) ? kind_of_plain(node.text) : Node::Kind::kText;
    if (node.kind == Node::Kind::kInteger) node.text = decimal(node.text);
    if (node.kind == Node::Kind::kBoolean) node.text = ascii_lower(node.text[0]) == 't' ? "true" : "false";
  }

  void map(Node& node, const YAML::Node& yaml, int depth) {
    node.kind = Node::Kind::kMap;
    for (const auto& member : yaml) {
      if (!member.first.IsScalar()) {
        problems_.add(problem_at(member.first.Mark(), "syntax", "a key must be a plain word"));
        continue;
      }
      Node key = convert(member.first, depth);
      key.text = member.first.Scalar();
      Node value = convert(member.second, depth + 1);
      node.members.push_back({std::move(key), std::move(value)});
    }
  }

  size_t nodes_ = 0;
  bool full_ = false;
  ProblemList problems_;
};

Read read_documents(const std::vector<YAML::Node>& documents) {
  Read read{.root = {.line = 1, .column = 1}};
  if (documents.size() > 1) {
    read.problems = {problem_at(documents[1].Mark(), "syntax", "more than one YAML document; keep one")};
  } else if (!documents.empty()) {
    YamlReader reader;
    read.root = reader.convert(documents.front(), 0);
    read.problems = reader.take_problems();
  }
  if (read.problems.empty()) read.problems = find_duplicate_keys(read.root);
  return read;
}

}   // namespace

Read read_yaml(std::string_view text) {
  auto fault = unreadable(text);
  if (!fault) fault = unprintable(text);
  const std::string copy(text);
  if (!fault) fault = too_many_yaml_values(copy);
  if (fault) return {{}, {std::move(*fault)}};
  try {
    return read_documents(YAML::LoadAll(copy));
  } catch (const YAML::Exception& error) {
    return {{}, {problem_at(error.mark, "syntax", error.msg)}};
  }
}

}   // namespace proxyd::config
