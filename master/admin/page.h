#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "master/admin/exchange.h"

namespace proxyd::admin {

// Which part of a list is asked for: `limit` and an opaque `cursor`.
struct PageRequest {
  size_t limit = 0;
  std::string after;   // what the last cursor stood for; empty at the beginning
  std::optional<AdminAnswer> refusal;
};
PageRequest page_of(const AdminRequest& request, size_t usual, size_t most);

inline constexpr size_t kMostInPiece = 200;

// The same of a list that is read piece by piece, whose cursors stand for numbers: 50 items without a word.
struct PieceRequest {
  size_t limit = 0;
  uint64_t after = 0;   // 0 at the beginning
  std::optional<AdminAnswer> refusal;
};
PieceRequest piece_of(const AdminRequest& request);

std::string cursor_of(const std::string& position);
Json page_json(Json items, const std::optional<std::string>& last);

// A list that is at hand whole, in the order of its unique `key`: those behind the cursor. What was there at the cursor
// may have gone meanwhile.
enum class Order { kRising, kFalling };
AdminAnswer page_answer(const AdminRequest& request, const Json& items, const char* key, Order order = Order::kRising);

}   // namespace proxyd::admin
