#include "master/store/secret_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "shared/base/digest.h"
#include "shared/base/plain_file.h"
#include "shared/base/unique_fd.h"

namespace proxyd::store {
namespace {

Result<void> write_whole(const std::string& path, std::string_view key) {
  const std::string beside = path + ".new";
  const auto failed = [&path] { return Error{fmt::format("{} cannot be written: {}", path, std::strerror(errno))}; };
  ::unlink(beside.c_str());
  const UniqueFd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return failed();
  const bool written = ::write(file.value(), key.data(), key.size()) == static_cast<ssize_t>(key.size()) &&
                       ::fsync(file.value()) == 0 && ::rename(beside.c_str(), path.c_str()) == 0;
  if (!written) return failed();
  const std::string folder = std::filesystem::path(path).parent_path();
  const UniqueFd place(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!place || ::fsync(place.value()) != 0) return failed();
  return {};
}

}   // namespace

Result<Secret> read_secret(const std::string& path) {
  Secret secret{};
  auto content = read_plain_file(path, secret.size());
  if (!content) return content.error();
  if (content->size() != secret.size()) return Error{fmt::format("{} is no key: {} octets are", path, secret.size())};
  std::memcpy(secret.data(), content->data(), secret.size());
  OPENSSL_cleanse(content->data(), content->size());
  return secret;
}

Result<Secret> make_secret(const std::string& path) {
  Secret secret{};
  random_bytes(secret);
  const auto written = write_whole(path, {reinterpret_cast<const char*>(secret.data()), secret.size()});
  if (!written) return written.error();
  return secret;
}

}   // namespace proxyd::store
