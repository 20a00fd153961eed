#include "worker/caching/cache_key.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>

#include "worker/caching/request_parts.h"
#include "worker/caching/vary.h"

// The input is two requests divided by an empty line, each a line with the query, one with a header and one with
// cookies. Oracle: they have the same key only if the rules see the same in both, and a key is taken apart
// unambiguously.
namespace {

using namespace proxyd;
using namespace proxyd::caching;

struct Asked {
  std::string query;
  std::string header;
  std::string cookies;
};

Asked split(std::string_view text) {
  Asked asked;
  std::string* const parts[] = {&asked.query, &asked.header, &asked.cookies};
  for (std::string* part : parts) {
    const size_t end = std::min(text.find('\n'), text.size());
    *part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return asked;
}

// What the rules see, each fact with its length, so that no two sets of facts look the same.
std::string facts_of(const Asked& asked, const http::Fields& fields) {
  std::multimap<std::string, std::string> sorted;   // keeps the order of equal names
  std::string facts;
  QueryParameters query(asked.query, true);
  while (const auto parameter = query.next()) {
    sorted.emplace(parameter->name, parameter->text);
    facts += std::to_string(parameter->text.size()) + ":" + std::string(parameter->text);
  }
  if (sorted.size() <= kMostSortedParameters) {
    facts.clear();
    for (const auto& [name, text] : sorted) facts += std::to_string(text.size()) + ":" + text;
  }
  facts += "|" + std::to_string(asked.header.size()) + ":" + asked.header;
  CookiePairs cookies(fields);
  while (const auto cookie = cookies.next()) {
    if (cookie->name.starts_with("a"))
      facts += "|" + std::to_string(cookie->text.size()) + ":" + std::string(cookie->text);
  }
  return facts;
}

struct Made {
  std::string key;
  std::string secondary;
  std::string facts;
};

Made make(const Asked& asked) {
  http::Arena arena;
  http::Fields fields(arena);
  fields.add("X-A", asked.header);
  fields.add("Cookie", asked.cookies);
  fields.add("Accept-Language", asked.header);
  fields.add("Accept-Encoding", asked.cookies);
  KeyRules rules;
  rules.headers = {"x-a"};
  rules.cookies = {NamePattern::from("a*")};
  const Url url{http::Scheme::kHttp, "a.test", "/", asked.query, true};
  const auto key = cache_key(url, fields, rules, "p");
  const auto secondary = secondary_key("accept-encoding,accept-language=de|en,cookie,x-a", fields);
  return {std::string(key ? key->text : ""), std::string(secondary.value_or("")), facts_of(asked, fields)};
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t middle = std::min(text.find("\n\n"), text.size());
  const Made one = make(split(text.substr(0, middle)));
  const Made other = make(split(text.substr(std::min(middle + 2, text.size()))));
  if (!one.key.empty() && !other.key.empty() && (one.key == other.key) != (one.facts == other.facts)) std::abort();
  if (std::count(one.secondary.begin(), one.secondary.end(), '\n') != (one.secondary.empty() ? 0 : 4)) std::abort();
  return 0;
}
