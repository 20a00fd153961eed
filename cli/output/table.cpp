#include "cli/output/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "cli/output/text.h"

namespace proxyd::cli {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kNarrowest = 6;

std::string aligned(const std::string& cell, size_t width, bool right) {
  const size_t taken = display_width(cell);
  const std::string room(width > taken ? width - taken : 0, ' ');
  return right ? room + cell : cell + room;
}

}   // namespace

std::string painted(std::string_view text, Colour colour, bool enabled) {
  constexpr std::array<const char*, 5> kCodes = {"", "32", "33", "31", "1"};
  if (!enabled || colour == Colour::kNone) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<size_t>(colour)], text);
}

Colour colour_of_state(std::string_view state) {
  const std::string_view word = state.substr(0, state.find(' '));
  for (const std::string_view good : {"up", "running", "ready", "info"}) {
    if (word == good) return Colour::kGreen;
  }
  for (const std::string_view bad : {"down", "dead", "resting", "error"}) {
    if (word == bad) return Colour::kRed;
  }
  return word.empty() || word == "-" ? Colour::kNone : Colour::kYellow;
}

// The widest column gives way first, until the line fits or nothing is left to take.
std::vector<size_t> Table::widths(size_t limit) const {
  std::vector<size_t> widths;
  for (const Column& column : columns_) widths.push_back(display_width(column.heading));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(printable(row[i])));
  }
  const auto total = [&widths] { return std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1)); };
  while (limit > 0 && total() > limit) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= kNarrowest) break;
    --*widest;
  }
  return widths;
}

std::string Table::text(bool colour, size_t width) const {
  const std::vector<size_t> room = widths(width);
  std::string out;
  const auto line = [&](const auto& cell_of, bool heading) {
    std::string text;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string cell = shortened(printable(cell_of(i)), room[i]);
      const bool last = i + 1 == columns_.size();
      const std::string placed = last && !columns_[i].right ? cell : aligned(cell, room[i], columns_[i].right);
      const Colour paint = heading ? Colour::kBold : columns_[i].state ? colour_of_state(cell) : Colour::kNone;
      text += painted(placed, paint, colour) + (last ? "" : std::string(kGap, ' '));
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  line([this](size_t i) { return columns_[i].heading; }, true);
  for (const auto& row : rows_) line([&row](size_t i) { return i < row.size() ? row[i] : std::string(); }, false);
  return out;
}

}   // namespace proxyd::cli
