#include "master/state_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace proxyd::master {
namespace {

StateFolder::Refusal refused_lock(const std::string& path, const std::string& state_dir, int error) {
  if (error != EWOULDBLOCK) return {false, fmt::format("{} cannot be locked: {}", path, std::strerror(error))};
  std::ifstream holder(path);
  std::string pid;
  holder >> pid;
  return {true,
          fmt::format("another proxyd (pid {}) runs with state folder {}", pid.empty() ? "unknown" : pid, state_dir)};
}

}   // namespace

Result<StateFolder, StateFolder::Refusal> StateFolder::open(const std::string& state_dir, const std::string& run_dir) {
  std::error_code error;
  for (const std::string& folder : {state_dir, run_dir}) {
    std::filesystem::create_directories(folder, error);
    if (error) return Refusal{false, fmt::format("folder {} cannot be made: {}", folder, error.message())};
  }
  const std::string path = state_dir + "/proxyd.lock";
  UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return Refusal{false, fmt::format("{} cannot be opened: {}", path, std::strerror(errno))};
  if (::flock(lock.value(), LOCK_EX | LOCK_NB) != 0) return refused_lock(path, state_dir, errno);
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.value(), 0) != 0 || ::pwrite(lock.value(), pid.data(), pid.size(), 0) < 0)
    return Refusal{false, fmt::format("{} cannot be written", path)};
  return StateFolder(std::move(lock));
}

}   // namespace proxyd::master
