#include "shared/memory/sealed_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace proxyd::memory {
namespace {

constexpr int kAllSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

Error failed(std::string_view what, std::string_view name) {
  return Error{fmt::format("{} of memory '{}' failed: {}", what, name, std::strerror(errno))};
}

}   // namespace

Result<UniqueFd> seal_content(std::string_view name, std::string_view content) {
  UniqueFd memory(::memfd_create(std::string(name).c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) return failed("creation", name);
  for (std::string_view rest = content; !rest.empty();) {
    const ssize_t written = ::write(memory.value(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed("writing", name);
    rest.remove_prefix(static_cast<size_t>(written));
  }
  if (::fcntl(memory.value(), F_ADD_SEALS, kAllSeals) != 0) return failed("sealing", name);
  return memory;
}

Result<std::string> read_sealed(int descriptor, size_t limit) {
  const int seals = ::fcntl(descriptor, F_GET_SEALS);
  if (seals < 0 || (seals & kAllSeals) != kAllSeals) {
    return Error{"memory that was received can still change: it was not sealed"};
  }
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return failed("fstat", "received");
  const auto size = static_cast<size_t>(status.st_size);
  if (size > limit)
    return Error{fmt::format("memory that was received has {} octets, at most {} may come", size, limit)};
  std::string content(size, '\0');
  size_t at = 0;
  while (at < size) {
    const ssize_t got = ::pread(descriptor, content.data() + at, size - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return failed("reading", "received");
    at += static_cast<size_t>(got);
  }
  return content;
}

}   // namespace proxyd::memory
