#include "shared/authentication/users.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/authentication/password.h"
#include "shared/base/bytes.h"

namespace proxyd::authentication {
namespace {

constexpr size_t kLongestName = 255;

bool is_name(std::string_view name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !name.empty() && name.size() <= kLongestName && is_utf8(name) &&
         std::none_of(name.begin(), name.end(), is_control);
}

Result<void> take_line(std::string_view line, Users& users) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Error{"it is not 'name:hash'"};
  std::string hash(line.substr(colon + 1));
  if (!is_name(line.substr(0, colon))) return Error{"it has no name that could be asked for"};
  if (const auto taken = check_hash(hash); !taken) return taken.error();
  if (!users.emplace(line.substr(0, colon), std::move(hash)).second) return Error{"an earlier line has that name"};
  if (users.size() > kMostUsers) return Error{fmt::format("there are more than {} names", kMostUsers)};
  return {};
}

}   // namespace

Result<Users> read_users(std::string_view content) {
  if (!is_utf8(content)) return Error{"it is no text of UTF-8"};
  Users users;
  for (size_t number = 1; !content.empty(); ++number) {
    const size_t end = std::min(content.find('\n'), content.size());
    std::string_view line = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const auto taken = take_line(line, users);
    if (!taken) return Error{fmt::format("line {}: {}", number, taken.error().message)};
  }
  if (users.empty()) return Error{"it names nobody"};
  return users;
}

}   // namespace proxyd::authentication
