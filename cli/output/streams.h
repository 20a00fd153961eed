#pragma once

#include <string>

namespace proxyd::cli {

// stdout is data, stderr is messages. Both are written with write(2), whole, and nothing stays in a buffer.

// Data. A reader that has left (EPIPE) ends the process as SIGPIPE would: quietly. Any other failure is said, and ends
// it with the exit code for what was only partly done.
void print(const std::string& text);

// For what waits long before it writes again: ends the process the same way when nobody reads stdout any more.
void end_when_reader_left();

// A message, with control characters escaped; one line or several.
void say(const std::string& text);
// "error: cause" and "hint: what helps", coloured on a terminal.
void print_error(const std::string& cause, const std::string& hint = {});
void print_hint(const std::string& hint);

// How this terminal takes text: colour only where it is one, NO_COLOR is unset and TERM is not dumb.
bool has_colour(int descriptor);
// Columns of the terminal at stdout, 0 when it is none.
size_t terminal_width();

}   // namespace proxyd::cli
