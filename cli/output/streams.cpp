#include "cli/output/streams.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "cli/output/text.h"

namespace proxyd::cli {
namespace {

constexpr int kPartlyDone = 9;

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// POCO blocks SIGPIPE; here it ends the process after all.
[[noreturn]] void die_of_sigpipe() {
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t pipe_signal;
  ::sigemptyset(&pipe_signal);
  ::sigaddset(&pipe_signal, SIGPIPE);
  ::raise(SIGPIPE);
  ::pthread_sigmask(SIG_UNBLOCK, &pipe_signal, nullptr);
  ::_exit(128 + SIGPIPE);
}

}   // namespace

void print(const std::string& text) {
  if (write_all(STDOUT_FILENO, text)) return;
  if (errno == EPIPE) die_of_sigpipe();
  print_error(fmt::format("stdout cannot be written: {}", std::strerror(errno)),
              "what was asked of the server is done, its answer is lost");
  ::_exit(kPartlyDone);
}

void end_when_reader_left() {
  pollfd out{STDOUT_FILENO, 0, 0};
  if (::poll(&out, 1, 0) > 0 && (out.revents & POLLERR)) die_of_sigpipe();
}

void say(const std::string& text) { (void)write_all(STDERR_FILENO, printable(text, true) + "\n"); }

void print_error(const std::string& cause, const std::string& hint) {
  const bool colour = has_colour(STDERR_FILENO);
  (void)write_all(STDERR_FILENO, fmt::format("{}error:{} {}\n", colour ? "\x1b[1;31m" : "", colour ? "\x1b[0m" : "",
                                             printable(cause, true)));
  if (!hint.empty()) print_hint(hint);
}

void print_hint(const std::string& hint) {
  const bool colour = has_colour(STDERR_FILENO);
  (void)write_all(STDERR_FILENO, fmt::format("{}hint:{} {}\n", colour ? "\x1b[1m" : "", colour ? "\x1b[0m" : "",
                                             printable(hint, true)));
}

bool has_colour(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  if (no_colour && *no_colour != '\0') return false;
  return ::isatty(descriptor) && terminal && std::string_view(terminal) != "dumb";
}

size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}   // namespace proxyd::cli
