#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace proxyd::cli {

enum class Colour { kNone, kGreen, kYellow, kRed, kBold };

// `text` in that colour when `enabled`, else as it is.
std::string painted(std::string_view text, Colour colour, bool enabled);
// Of a state word: up and running are green, what is on its way yellow, what is down red.
Colour colour_of_state(std::string_view state);

// Rows under headings, columns aligned, numbers to the right. A value; the command that shows it fills it.
class Table {
 public:
  struct Column {
    std::string heading;
    bool right = false;   // numbers
    bool state = false;   // coloured by its word
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  // `width` columns at most, the widest ones shortened; 0 is without limit.
  std::string text(bool colour, size_t width) const;

 private:
  std::vector<size_t> widths(size_t limit) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}   // namespace proxyd::cli
