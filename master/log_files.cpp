#include "master/log_files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "master/publication.h"

namespace proxyd::master {
namespace {

Result<UniqueFd> open_for_appending(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640));
  if (!file) return Error{fmt::format("log file {} cannot be opened: {}", path, std::strerror(errno))};
  return file;
}

}   // namespace

Result<LogFiles> LogFiles::open(const config::Logging& logging) {
  LogFiles files;
  for (const config::AccessLog& log : logging.access) {
    if (log.to == config::AccessLog::Sink::kStdout) {
      files.access.push_back(duplicate(1));
      continue;
    }
    auto file = open_for_appending(log.file);
    if (!file) return file.error();
    files.access.push_back(std::move(*file));
  }
  if (logging.error.to == "file") {
    auto file = open_for_appending(logging.error.file);
    if (!file) return file.error();
    files.error = std::move(*file);
  } else {
    files.error = duplicate(2);
  }
  return files;
}

}   // namespace proxyd::master
