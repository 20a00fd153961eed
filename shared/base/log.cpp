#include "shared/base/log.h"

#include <unistd.h>

#include <array>
#include <chrono>

#include "shared/base/clock.h"

namespace proxyd {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warning", "error"};
constexpr size_t kMaxLine = 4096;

void append_escaped(std::string& line, std::string_view text) {
  for (const char c : text) {
    if (line.size() >= kMaxLine - 8) {
      line += "...";
      return;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", byte);
    } else {
      line += c;
    }
  }
}

}   // namespace

std::string_view to_string(LogLevel level) { return kLevelNames[static_cast<size_t>(level)]; }

std::optional<LogLevel> log_level_from(std::string_view name) {
  for (size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

void Log::write(LogLevel level, fmt::string_view text, fmt::format_args args) {
  if (level < this->level()) return;
  std::string line =
      fmt::format("{} {} {}[{}]: ", rfc3339(std::chrono::system_clock::now()), to_string(level), process_, ::getpid());
  append_escaped(line, fmt::vformat(text, args));
  line += '\n';
  [[maybe_unused]] const ssize_t written =
      ::write(descriptor_.load(std::memory_order_relaxed), line.data(), line.size());
}

}   // namespace proxyd
