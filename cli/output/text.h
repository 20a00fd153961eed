#pragma once

#include <string>
#include <string_view>

namespace proxyd::cli {

// Text on a terminal. Plain functions; any thread.

// Columns that it takes: one a code point.
size_t display_width(std::string_view text);

// Control characters as \xNN, so that nothing a client sent or a file held can steer the terminal. Line ends too unless
// they are `kept`.
std::string printable(std::string_view text, bool keep_line_ends = false);

// At most `width` columns, the last of them "…" when something was cut.
std::string shortened(const std::string& text, size_t width);

// The word of a shell that is this text: quoted only when it must be.
std::string shell_word(const std::string& text);

}   // namespace proxyd::cli
