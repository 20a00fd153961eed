#include "master/value_files.h"

#include <fmt/format.h>

#include <optional>

#include "master/certificates/pem.h"
#include "shared/authentication/key_set.h"
#include "shared/authentication/users.h"
#include "shared/base/bytes.h"
#include "shared/base/plain_file.h"
#include "shared/config/tls_name.h"

namespace proxyd::master {
namespace {

constexpr size_t kMostValue = 16384;
constexpr size_t kMostPem = 256 * 1024;
constexpr size_t kMostAuthorities = 4 << 20;
constexpr size_t kMostPage = 256 * 1024;
using Contents = std::map<std::string, std::string>;

Result<std::string> read_value(const std::string& path) {
  auto content = read_plain_file(path, kMostValue);
  if (!content) return content.error();
  while (!content->empty() && (content->back() == '\n' || content->back() == '\r')) content->pop_back();
  const bool one_line = content->find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
  if (!one_line) return Error{fmt::format("file {} is no header value: it has more than one line", path)};
  if (!is_utf8(*content)) return Error{fmt::format("file {} is no text of UTF-8", path)};
  return content;
}

// PEM, and nothing but certificates in it.
Result<std::string> read_authorities(const std::string& path) {
  const auto content = read_plain_file(path, kMostAuthorities);
  if (!content) return content.error();
  auto authorities = authorities_of(*content);
  if (!authorities) return Error{fmt::format("file {} {}", path, authorities.error().message)};
  return authorities;
}

Result<std::string> read_users(const std::string& path) {
  auto content = read_plain_file(path, authentication::kMostUsersFile);
  if (!content) return content.error();
  const auto users = authentication::read_users(*content);
  if (!users) return Error{fmt::format("file {}, {}", path, users.error().message)};
  return content;
}

Result<std::string> read_key_set(const std::string& path) {
  auto content = read_plain_file(path, authentication::kMostKeySetFile);
  if (!content) return content.error();
  const auto keys = authentication::read_keys(*content);
  if (!keys) return Error{fmt::format("file {}, {}", path, keys.error().message)};
  return content;
}

Result<std::string> read_page(const std::string& path) {
  auto content = read_plain_file(path, kMostPage);
  if (content && !is_utf8(*content)) return Error{fmt::format("file {} is no text of UTF-8", path)};
  return content;
}

// As it is: workers take it apart, and refuse it where it is wrong.
Result<std::string> read_pem(const std::string& path) { return read_plain_file(path, kMostPem); }

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
    read(path, "the token of PURGE is in it", pointer, read_value);
    if (!failure_ && contents_[path].empty())
      failure_ = ValueFileError{fmt::format("file {} is empty; the token of PURGE is in it", path), pointer};
  }
  void authorities(const std::optional<config::ClientAuth>& client_auth, const std::string& pointer) {
    if (!client_auth || failure_) return;
    read(client_auth->ca_file, "who signs the certificates of clients is in it", pointer + "/client_auth/ca_file",
         read_authorities);
  }
  void auth(const std::vector<config::Auth>& auth, const std::string& pointer) {
    for (const config::Auth& one : auth) {
      if (one.basic && !failure_)
        read(one.basic->users_file, "who may come with a password is in it", pointer + "/auth", read_users);
      if (one.jwt && !failure_) read(one.jwt->jwks_file, "who signs tokens is in it", pointer + "/auth", read_key_set);
    }
  }
  void pages(const std::map<int, std::string>& pages, const std::string& pointer) {
    for (const auto& [status, path] : pages) {
      if (!failure_)
        read(path, fmt::format("the page of {} is in it", status), fmt::format("{}/error_pages/{}", pointer, status),
             read_page);
    }
  }
  void check(const config::ActiveHealth& active, bool secured, const std::string& pointer) {
    for (const auto& [name, value] : active.headers) field(name, value, pointer + "/headers");
    const std::string system(config::kSystemAuthorities);
    if (active.type == config::CheckType::kHttps && !secured && !failure_)
      read(system, "authorities that checks by https believe are in it", pointer, read_authorities);
  }
  void upstream(const config::UpstreamTls& tls, const std::string& pointer) {
    const std::string system(config::kSystemAuthorities);
    if (tls.verify && !failure_)
      read(tls.ca_file.value_or(system), "who signs the certificates of targets is in it", pointer + "/ca_file",
           read_authorities);
    if (tls.certificate_file && !failure_)
      read(*tls.certificate_file, "what we show to targets is in it", pointer + "/certificate_file", read_pem);
    if (tls.private_key_file && !failure_)
      read(*tls.private_key_file, "the key of what we show to targets is in it", pointer + "/private_key_file",
           read_pem);
  }
  Result<Contents, ValueFileError> take() {
    if (failure_) return *failure_;
    return std::move(contents_);
  }

 private:
  void of(const config::FieldEdits& edits, const std::string& pointer) {
    for (const auto* values : {&edits.set, &edits.add, &edits.if_absent}) {
      for (const auto& [name, value] : *values) field(name, value, pointer);
    }
  }
  void field(const std::string& name, const config::FieldValue& value, const std::string& pointer) {
    if (value.is_file && !failure_)
      read(value.text, fmt::format("field '{}' takes its value from it", name), pointer, read_value);
  }

  void read(const std::string& path, const std::string& use, const std::string& pointer,
            Result<std::string> (*read_as)(const std::string&)) {
    const auto [known, is_new] = read_as_.emplace(path, read_as);
    if (!is_new && known->second != read_as)   // a page would show what a secret is
      failure_ = ValueFileError{fmt::format("file {} is used for something else as well; {}", path, use), pointer};
    if (!is_new) return;
    auto content = read_as(path);
    if (content)
      contents_[path] = std::move(*content);
    else
      failure_ = ValueFileError{fmt::format("{}; {}", content.error().message, use), pointer};
  }

  Contents contents_;
  std::map<std::string, Result<std::string> (*)(const std::string&)> read_as_;   // by path
  std::optional<ValueFileError> failure_;
};

}   // namespace

Result<Contents, ValueFileError> read_value_files(const config::Document& document) {
  Reader reader;
  reader.edits(document.headers, "/defaults");
  for (const auto& [name, listener] : document.listeners) {
    if (listener.tls) reader.authorities(listener.tls->client_auth, fmt::format("/listeners/{}/tls", name));
  }
  for (const auto& [name, upstream] : document.upstreams) {
    if (upstream.tls) reader.upstream(*upstream.tls, fmt::format("/upstreams/{}/tls", name));
    if (upstream.health.active)
      reader.check(*upstream.health.active, upstream.tls.has_value(), fmt::format("/upstreams/{}/health/active", name));
  }
  for (const auto& [name, host] : document.hosts) {
    reader.authorities(host.client_auth, fmt::format("/hosts/{}", name));
    reader.edits(host.headers, fmt::format("/hosts/{}", name));
    reader.pages(host.error_pages, fmt::format("/hosts/{}", name));
    if (host.purge) reader.token(*host.purge, fmt::format("/hosts/{}/purge/token_file", name));
    for (size_t i = 0; i < host.routes.size(); ++i) {
      const std::string pointer = fmt::format("/hosts/{}/routes/{}", name, i);
      reader.edits(host.routes[i].headers, pointer);
      reader.auth(host.routes[i].auth, pointer);
    }
  }
  return reader.take();
}

}   // namespace proxyd::master
