#include "master/store/copies.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "shared/base/unique_fd.h"

namespace proxyd::store {
namespace {

namespace fs = std::filesystem;
constexpr int kCopies = 3;

Error failed(const std::string& what, const std::string& file) {
  return Error{fmt::format("{} {} failed: {}", what, file, std::strerror(errno))};
}

bool is_durable(const std::string& path, int flags) {
  const UniqueFd file(::open(path.c_str(), flags | O_CLOEXEC));
  return file && ::fsync(file.value()) == 0;
}

// The file and its name.
Result<void> make_durable(const std::string& path) {
  if (!is_durable(path, O_RDONLY)) return failed("writing", path);
  if (!is_durable(fs::path(path).parent_path(), O_RDONLY | O_DIRECTORY)) return failed("writing the folder of", path);
  return {};
}

}   // namespace

std::vector<std::string> Copies::newest_first() const {
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  for (int i = 0; i < kCopies; ++i) {
    const std::string copy = fmt::format("{}/backup-{}.db", folder_, i);
    std::error_code missing;
    const auto time = fs::last_write_time(copy, missing);
    if (!missing) found.emplace_back(time, copy);
  }
  std::sort(found.rbegin(), found.rend());
  std::vector<std::string> copies;
  for (auto& [time, copy] : found) copies.push_back(std::move(copy));
  return copies;
}

Result<std::string> Copies::begin() const {
  const std::string path = folder_ + "/backup.new";
  std::error_code ignored;
  fs::remove(path, ignored);
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return failed("making", path);
  return path;
}

Result<void> Copies::finish(const std::string& written) const {
  const std::vector<std::string> copies = newest_first();
  std::string place;
  if (copies.size() == kCopies) place = copies.back();
  for (int i = 0; place.empty() && i < kCopies; ++i) {
    const std::string copy = fmt::format("{}/backup-{}.db", folder_, i);
    std::error_code unknown;
    if (!fs::exists(copy, unknown)) place = copy;
  }
  if (!is_durable(written, O_RDONLY)) return failed("writing", written);
  if (::rename(written.c_str(), place.c_str()) != 0) return failed("making", place);
  return make_durable(place);
}

Result<void> Copies::restore(const std::string& copy, const std::string& database) {
  std::error_code error;
  fs::copy_file(copy, database, error);
  if (error) return Error{fmt::format("copying {} to {} failed: {}", copy, database, error.message())};
  return make_durable(database);
}

}   // namespace proxyd::store
