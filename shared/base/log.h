#pragma once

#include <fmt/format.h>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

namespace proxyd {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

std::string_view to_string(LogLevel level);
std::optional<LogLevel> log_level_from(std::string_view name);

// The error log: what the program says about itself, one line a call, to a descriptor (stderr unless told).
// Owned by main and passed by reference; master (any thread) and worker. A line is one write(2) of at most 4 KiB, with
// control characters escaped (no CR or LF reaches the log, CWE-117). A failed write loses the line and nothing else.
class Log {
 public:
  Log(int descriptor, std::string process) : descriptor_(descriptor), process_(std::move(process)) {}

  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  LogLevel level() const { return level_.load(std::memory_order_relaxed); }
  // Where lines go from now on; the former descriptor stays its owner's.
  void set_descriptor(int descriptor) { descriptor_.store(descriptor, std::memory_order_relaxed); }

  template <class... Args>
  void debug(fmt::format_string<Args...> text, Args&&... args) {
    write(LogLevel::kDebug, text, fmt::make_format_args(args...));
  }
  template <class... Args>
  void info(fmt::format_string<Args...> text, Args&&... args) {
    write(LogLevel::kInfo, text, fmt::make_format_args(args...));
  }
  template <class... Args>
  void warning(fmt::format_string<Args...> text, Args&&... args) {
    write(LogLevel::kWarning, text, fmt::make_format_args(args...));
  }
  template <class... Args>
  void error(fmt::format_string<Args...> text, Args&&... args) {
    write(LogLevel::kError, text, fmt::make_format_args(args...));
  }

 private:
  void write(LogLevel level, fmt::string_view text, fmt::format_args args);

  std::atomic<int> descriptor_;
  std::atomic<LogLevel> level_{LogLevel::kInfo};
  std::string process_;
};

}   // namespace proxyd
