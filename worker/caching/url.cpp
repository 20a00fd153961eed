#include "worker/caching/url.h"

#include "shared/base/bytes.h"
#include "worker/http/authority.h"

namespace proxyd::caching {
namespace {

std::optional<std::string_view> normal_authority(std::string_view text, http::Scheme scheme, http::Arena& arena) {
  const auto authority = http::parse_authority(text, arena);
  if (!authority || authority->host.empty()) return std::nullopt;
  if (authority->port == 0 || authority->port == http::default_port(scheme)) return authority->host;
  return arena.concat(authority->host, ":", arena.number(authority->port));
}

// The length of a scheme and its colon at the front of a reference; 0 when it has none.
size_t scheme_length(std::string_view reference) {
  const size_t colon = reference.find_first_of(":/?");
  return colon != std::string_view::npos && reference[colon] == ':' ? colon + 1 : 0;
}

// A path and query on the base's authority.
std::optional<Url> on_authority(const Url& base, std::string_view path_and_query, http::Arena& arena) {
  const auto target = http::parse_target(path_and_query, http::Method::kGet, arena);
  if (!target || target->form != http::TargetForm::kOrigin) return std::nullopt;
  return Url{base.scheme, base.authority, target->path, target->query, target->has_query};
}

// "//authority/path?query", behind the scheme's colon.
std::optional<Url> with_authority(http::Scheme scheme, std::string_view text, http::Arena& arena) {
  text.remove_prefix(2);
  const size_t end = text.find_first_of("/?");
  const auto authority = normal_authority(text.substr(0, end), scheme, arena);
  if (!authority) return std::nullopt;
  const std::string_view rest = end == std::string_view::npos ? std::string_view() : text.substr(end);
  const Url base{scheme, *authority, "/", {}, false};
  return on_authority(base, rest.starts_with('/') ? rest : arena.concat("/", rest), arena);
}

}   // namespace

std::optional<Url> resolve(std::string_view reference, const Url& base, http::Arena& arena) {
  reference = reference.substr(0, reference.find('#'));
  http::Scheme scheme = base.scheme;
  if (const size_t length = scheme_length(reference)) {
    const std::string_view name = reference.substr(0, length - 1);
    if (!equals_ignoring_case(name, "http") && !equals_ignoring_case(name, "https")) return std::nullopt;
    scheme = name.size() == 5 ? http::Scheme::kHttps : http::Scheme::kHttp;
    reference.remove_prefix(length);
    if (!reference.starts_with("//")) return std::nullopt;
  }
  if (reference.starts_with("//")) return with_authority(scheme, reference, arena);
  if (reference.empty()) return base;
  if (reference.front() == '/') return on_authority(base, reference, arena);
  if (reference.front() == '?') return on_authority(base, arena.concat(base.path, reference), arena);
  const std::string_view folder = base.path.substr(0, base.path.rfind('/') + 1);
  return on_authority(base, arena.concat(folder.empty() ? std::string_view("/") : folder, reference), arena);
}

}   // namespace proxyd::caching
