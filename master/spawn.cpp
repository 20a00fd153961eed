#include "master/spawn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace proxyd::master {
namespace {

constexpr int kScratch = 280;   // above every number that a child sees
constexpr size_t kMostInherited = 272;

// In the child, async-signal-safe only: descriptors to their numbers, signals to their defaults, then exec. All are
// first copied to free numbers, since the number that one gets may be another's now.
[[noreturn]] void become(int binary, char* const* arguments, char* const* environment,
                         const std::pair<int, int>* inherited, size_t count, const rlimit& core) {
  int copies[kMostInherited] = {};
  for (size_t i = 0; i < count; ++i) {
    copies[i] = ::fcntl(inherited[i].first, F_DUPFD, kScratch);
    if (copies[i] < 0) ::_exit(127);
  }
  const int executable = ::fcntl(binary, F_DUPFD_CLOEXEC, kScratch);
  if (executable < 0) ::_exit(127);
  int highest = 2;
  for (size_t i = 0; i < count; ++i) {
    if (::dup2(copies[i], inherited[i].second) < 0) ::_exit(127);
    highest = inherited[i].second > highest ? inherited[i].second : highest;
  }
  ::syscall(SYS_close_range, static_cast<unsigned>(highest) + 1, static_cast<unsigned>(executable) - 1, 0u);
  ::syscall(SYS_close_range, static_cast<unsigned>(executable) + 1, ~0u, 0u);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  struct sigaction initial{};
  initial.sa_handler = SIG_DFL;
  for (int signal = 1; signal < 32; ++signal) ::sigaction(signal, &initial, nullptr);
  ::setrlimit(RLIMIT_CORE, &core);
  ::syscall(SYS_execveat, executable, "", arguments, environment, 0x1000 /* AT_EMPTY_PATH */);
  ::_exit(127);
}

}   // namespace

Result<Spawn> Spawn::open(const std::string& binary) {
  UniqueFd descriptor(::open(binary.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor)
    return Error{fmt::format("the worker's binary {} cannot be opened: {}", binary, std::strerror(errno))};
  return Spawn(std::move(descriptor));
}

Result<Spawn::Child> Spawn::start(const std::string& argument,
                                  const std::vector<std::pair<int, int>>& inherited) const {
  if (inherited.size() > kMostInherited)
    return Error{fmt::format("a child inherits at most {} descriptors", kMostInherited)};
  std::string name = "proxyd-worker";
  std::string copy = argument;
  const std::array<char*, 3> arguments = {name.data(), copy.data(), nullptr};
  rlimit core{};
  if (::getrlimit(RLIMIT_CORE, &core) == 0) core.rlim_cur = 0;
  const pid_t pid = ::fork();
  if (pid < 0) return Error{fmt::format("fork failed: {}", std::strerror(errno))};
  if (pid == 0) become(binary_.value(), arguments.data(), environ, inherited.data(), inherited.size(), core);
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    return Error{fmt::format("pidfd_open failed: {}", std::strerror(error))};
  }
  return Child{pid, std::move(pidfd)};
}

}   // namespace proxyd::master
