#include "master/log_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "shared/ipc/publication.h"

namespace proxyd::master {
namespace {

// A file that is not there yet: whether it could be made, and what takes its place in a rehearsal.
UniqueFd stand_in(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  const bool may_be_made = ::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0;
  return may_be_made ? UniqueFd(::open("/dev/null", O_WRONLY | O_CLOEXEC)) : UniqueFd();
}

Result<UniqueFd> open_for_appending(const std::string& path, Purpose purpose) {
  const int make = purpose == Purpose::kServing ? O_CREAT : 0;
  UniqueFd file(::open(path.c_str(), O_WRONLY | make | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640));
  if (!file && errno == ENOENT && purpose == Purpose::kRehearsal) file = stand_in(path);
  if (!file) return Error{fmt::format("log file {} cannot be opened: {}", path, std::strerror(errno))};
  return file;
}

// An inherited pipe or terminal as one of our own that does not block: its flags would be shared with whoever gave it
// to us. A file stays the same, with its place. A socket can't be opened again; who writes to one says so each time.
UniqueFd own_stream(int descriptor) {
  struct stat about{};
  if (::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode)) return ipc::duplicate(descriptor);
  const std::string path = fmt::format("/proc/self/fd/{}", descriptor);
  UniqueFd own(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  return own ? std::move(own) : ipc::duplicate(descriptor);
}

}   // namespace

Result<LogFiles> LogFiles::open(const config::Logging& logging, Purpose purpose) {
  LogFiles files;
  for (const config::AccessLog& log : logging.access) {
    if (log.to == config::AccessLog::Sink::kStdout) {
      files.access.push_back(own_stream(1));
      continue;
    }
    auto file = open_for_appending(log.file, purpose);
    if (!file) return file.error();
    files.access.push_back(std::move(*file));
  }
  if (logging.error.to == "file") {
    auto file = open_for_appending(logging.error.file, purpose);
    if (!file) return file.error();
    files.error = std::move(*file);
  } else {
    files.error = own_stream(2);
  }
  return files;
}

}   // namespace proxyd::master
