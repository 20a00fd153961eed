#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/config/decode.h"

namespace proxyd::config {

struct Member;

// A document as it was written: a tree that still knows lines and columns, before any meaning. A value.
struct Node {
  enum class Kind { kNull, kBoolean, kInteger, kReal, kText, kMap, kList };

  Kind kind = Kind::kNull;
  std::string text;              // of a scalar, without quotes
  std::vector<Member> members;   // of a map, in order
  std::vector<Node> items;       // of a list
  int line = 0;
  int column = 0;

  const Node* find(std::string_view key) const;
  // The node at a JSON pointer, or the nearest one above it that was written.
  const Node& at(std::string_view pointer) const;
};

struct Member {
  Node key;
  Node value;
};

// A tree, or the first thing that makes the text unreadable. Duplicate keys are found here, naming both places.
struct Read {
  Node root;
  std::vector<Problem> problems;
};

// RFC 8259, strictly: no comments, no trailing commas, well-formed UTF-8.
Read read_json(std::string_view text);

// YAML 1.2 core schema, one document. Aliases are expanded and count.
Read read_yaml(std::string_view text);

inline constexpr size_t kMaxDocument = 8 * 1024 * 1024;
inline constexpr size_t kMaxNodes = 100'000;
inline constexpr int kMaxDepth = 64;

// "a/b" as a step of a JSON pointer: "a~1b" (RFC 6901).
std::string pointer_step(std::string_view key);

}   // namespace proxyd::config
