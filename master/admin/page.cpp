#include "master/admin/page.h"

#include <fmt/format.h>

#include "shared/base/bytes.h"

namespace proxyd::admin {
namespace {

constexpr size_t kMost = 1000;
constexpr size_t kUsualPiece = 50;
constexpr char kMark = 'c';   // of every cursor, so that a number is none

std::string position_in(const Json& item, const char* key) {
  const Json& value = item.at(key);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Numbers by their value, so that 10 comes after 9.
bool comes_after(const std::string& position, const std::string& other, const Json& value) {
  if (value.is_number() && position.size() != other.size()) return position.size() > other.size();
  return position > other;
}

}   // namespace

std::string cursor_of(const std::string& position) {
  return kMark + to_hex({reinterpret_cast<const uint8_t*>(position.data()), position.size()});
}

PageRequest page_of(const AdminRequest& request, size_t usual, size_t most) {
  PageRequest page{usual, "", std::nullopt};
  const std::string limit = request.value("limit");
  if (!limit.empty()) page.limit = std::stoul(limit);   // the front has seen that it is a number
  if (page.limit < 1 || page.limit > most)
    page.refusal = problem("malformed", fmt::format("limit is a number from 1 to {}", most));
  const std::string cursor = request.value("cursor");
  if (cursor.empty()) return page;
  bool readable = cursor[0] == kMark && cursor.size() % 2 == 1 && cursor.size() > 1;
  for (size_t i = 1; readable && i < cursor.size(); i += 2) {
    const int high = hex_value(cursor[i]);
    const int low = hex_value(cursor[i + 1]);
    readable = high >= 0 && low >= 0;
    page.after += static_cast<char>(high * 16 + low);
  }
  if (!readable) page.refusal = problem("malformed", "cursor is what next_cursor said");
  return page;
}

PieceRequest piece_of(const AdminRequest& request) {
  PageRequest page = page_of(request, kUsualPiece, kMostInPiece);
  PieceRequest piece{page.limit, 0, std::move(page.refusal)};
  if (piece.refusal || page.after.empty()) return piece;
  const bool number = page.after.size() <= 17 && page.after.find_first_not_of("0123456789") == std::string::npos;
  if (number) piece.after = std::stoull(page.after);
  if (!number) piece.refusal = problem("malformed", "cursor is what next_cursor said");
  return piece;
}

Json page_json(Json items, const std::optional<std::string>& last) {
  return {{"items", std::move(items)}, {"next_cursor", last ? Json(cursor_of(*last)) : Json(nullptr)}};
}

AdminAnswer page_answer(const AdminRequest& request, const Json& items, const char* key, Order order) {
  const PageRequest page = page_of(request, kMost, kMost);
  if (page.refusal) return *page.refusal;
  const auto is_wanted = [&](const Json& item) {
    const std::string position = position_in(item, key);
    return page.after.empty() || (order == Order::kRising ? comes_after(position, page.after, item.at(key))
                                                          : comes_after(page.after, position, item.at(key)));
  };
  Json part = Json::array();
  bool more = false;
  for (const Json& item : items) {
    if (!is_wanted(item)) continue;
    more = part.size() == page.limit;
    if (more) break;
    part.push_back(item);
  }
  const std::optional<std::string> last = more ? std::optional(position_in(part.back(), key)) : std::nullopt;
  return json_answer(page_json(std::move(part), last));
}

}   // namespace proxyd::admin
