#include "worker/routing/request_facts.h"

#include <algorithm>

#include "worker/http/list.h"

namespace proxyd::routing {

void take_client(RequestFacts& facts, const Client& client, http::Arena& arena) {
  const http::Authority& authority = client.authority ? *client.authority : facts.head->authority;
  const uint16_t usual_port = http::default_port(client.scheme);
  facts.scheme = client.scheme;
  facts.host = facts.authority = authority.host;
  facts.port = authority.port != 0 ? authority.port : usual_port;
  if (facts.port != usual_port && !facts.host.empty()) {
    const bool as_written = !authority.with_port.empty();
    facts.authority =
        as_written ? authority.with_port : arena.concat(facts.host, std::string_view(":"), arena.number(facts.port));
  }
  facts.client = client.address;
  facts.client_text = client.text;
  facts.from_trusted_proxy = client.through_trusted_proxy;
}
namespace {

// The value of `name` in "a=1<separator>b=2"; a name without "=" has an empty value.
std::string_view find_pair(std::string_view list, char separator, std::string_view name) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(separator), list.size());
    const std::string_view pair = http::trim(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) == name && !pair.empty()) {
      return equals == pair.size() ? pair.substr(pair.size()) : pair.substr(equals + 1);
    }
  }
  return {};
}

}   // namespace

std::string_view find_cookie(const http::Fields& fields, std::string_view name) {
  if (!fields.has(http::FieldName::kCookie)) return {};
  for (const http::Field& field : fields) {
    if (field.known != http::FieldName::kCookie) continue;
    const std::string_view value = find_pair(field.value, ';', name);
    if (value.data()) return value;
  }
  return {};
}

std::string_view find_query_parameter(std::string_view query, std::string_view name) {
  return find_pair(query, '&', name);
}

}   // namespace proxyd::routing
