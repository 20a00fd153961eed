#include "shared/base/plain_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "shared/base/unique_fd.h"

namespace proxyd {

Result<std::string> read_plain_file(const std::string& path, size_t most) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  const auto unreadable = [&path] {
    return Error{fmt::format("file {} cannot be read: {}", path, std::strerror(errno))};
  };
  const auto too_large = [&path, most] { return Error{fmt::format("file {} is larger than {} octets", path, most)}; };
  if (!file) return unreadable();
  struct stat status{};
  if (::fstat(file.value(), &status) != 0 || !S_ISREG(status.st_mode))
    return Error{fmt::format("{} is no plain file", path)};
  if (static_cast<uint64_t>(status.st_size) > most) return too_large();
  std::string content(static_cast<size_t>(status.st_size) + 1, '\0');   // one more, to see that it ends there
  size_t size = 0;
  while (size <= most) {
    if (size == content.size()) content.resize(most + 1);   // it has grown
    const ssize_t got = ::read(file.value(), content.data() + size, content.size() - size);
    if (got < 0) return unreadable();
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > most) return too_large();
  content.resize(size);
  return content;
}

}   // namespace proxyd
