#include "master/value_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "shared/base/unique_fd.h"

namespace proxyd::master {
namespace {

constexpr size_t kMostValue = 16384;
using Contents = std::map<std::string, std::string>;

// A pipe or a device would hold up the change, so only a plain file will do.
Result<std::string> read_value(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return Error{fmt::format("file {} cannot be read: {}", path, std::strerror(errno))};
  struct stat status{};
  if (::fstat(file.value(), &status) != 0 || !S_ISREG(status.st_mode))
    return Error{fmt::format("{} is no plain file", path)};
  std::string content(kMostValue + 1, '\0');
  const ssize_t got = ::read(file.value(), content.data(), content.size());
  if (got < 0) return Error{fmt::format("file {} cannot be read: {}", path, std::strerror(errno))};
  content.resize(static_cast<size_t>(got));
  while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.pop_back();
  const bool one_line =
      content.size() < kMostValue && content.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
  if (!one_line) return Error{fmt::format("file {} is no header value: one line of less than 16 KiB", path)};
  return content;
}

class Reader {
 public:
  void edits(const config::HeaderEdits& edits, const std::string& pointer) {
    of(edits.request, pointer + "/headers/request");
    of(edits.response, pointer + "/headers/response");
  }
  // An empty token would be one that everybody has.
  void token(const config::Purge& purge, const std::string& pointer) {
    if (!purge.token_file || failure_) return;
    const std::string& path = *purge.token_file;
    read(path, "the token of PURGE is in it", pointer);
    if (!failure_ && contents_[path].empty())
      failure_ = ValueFileError{fmt::format("file {} is empty; the token of PURGE is in it", path), pointer};
  }
  Result<Contents, ValueFileError> take() {
    if (failure_) return *failure_;
    return std::move(contents_);
  }

 private:
  void of(const config::FieldEdits& edits, const std::string& pointer) {
    for (const auto* values : {&edits.set, &edits.add, &edits.if_absent}) {
      for (const auto& [name, value] : *values) {
        if (value.is_file && !failure_)
          read(value.text, fmt::format("field '{}' takes its value from it", name), pointer);
      }
    }
  }

  void read(const std::string& path, const std::string& use, const std::string& pointer) {
    if (contents_.contains(path)) return;
    auto content = read_value(path);
    if (content)
      contents_[path] = std::move(*content);
    else
      failure_ = ValueFileError{fmt::format("{}; {}", content.error().message, use), pointer};
  }

  Contents contents_;
  std::optional<ValueFileError> failure_;
};

}   // namespace

Result<Contents, ValueFileError> read_value_files(const config::Document& document) {
  Reader reader;
  reader.edits(document.headers, "/defaults");
  for (const auto& [name, host] : document.hosts) {
    reader.edits(host.headers, fmt::format("/hosts/{}", name));
    if (host.purge) reader.token(*host.purge, fmt::format("/hosts/{}/purge/token_file", name));
    for (size_t i = 0; i < host.routes.size(); ++i)
      reader.edits(host.routes[i].headers, fmt::format("/hosts/{}/routes/{}", name, i));
  }
  return reader.take();
}

}   // namespace proxyd::master
