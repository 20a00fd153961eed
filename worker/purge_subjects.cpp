#include "worker/purge_subjects.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "worker/caching/url.h"
#include "worker/http/arena.h"
#include "worker/proxy/url_subjects.h"

namespace proxyd::worker {
namespace {

using nlohmann::json;
using Texts = std::set<std::string>;

// As it is written: what routes with raw_path make their keys of.
std::string_view raw_path_in(std::string_view text) {
  const size_t scheme = text.find("://");
  if (scheme != std::string_view::npos) text.remove_prefix(scheme + 3);
  text = text.substr(0, text.find_first_of("?#"));
  const size_t slash = text.find('/');
  return slash == std::string_view::npos ? std::string_view("/") : text.substr(slash);
}

// In the normal form of its scheme, or of both where it says none.
std::vector<caching::Url> parse(const std::string& text, http::Arena& arena) {
  const bool has_scheme = text.find("://") != std::string::npos;
  std::vector<caching::Url> urls;
  for (const http::Scheme scheme : {http::Scheme::kHttp, http::Scheme::kHttps}) {
    if (has_scheme && !urls.empty()) break;
    const std::string_view reference = has_scheme ? std::string_view(text) : arena.concat("//", text);
    if (const auto url = caching::resolve(reference, {scheme, "x", "/", {}, false}, arena)) urls.push_back(*url);
  }
  return urls;
}

json wrong(const std::string& text, const char* why) { return {{"error", fmt::format("'{}' {}", text, why)}}; }

json prefix_of(const std::string& text) {
  http::Arena arena;
  Texts texts;
  for (const caching::Url& url : parse(text, arena)) {
    if (url.has_query) return wrong(text, "has a query: a prefix is a host and folders, as www.example.com/css/");
    if (!url.path.ends_with('/')) return wrong(text, "does not end in '/': a prefix is whole folders");
    texts.emplace(std::string(url.authority) + std::string(url.path));
    texts.emplace(std::string(url.authority) + std::string(raw_path_in(text)));
  }
  if (texts.empty()) return wrong(text, "is no prefix: write HOST/PATH/");
  return {{"texts", texts}};
}

json host_of(const std::string& text) {
  http::Arena arena;
  Texts texts;
  const bool plain = text.find_first_of("/?#@") == std::string::npos;
  for (const caching::Url& url : plain ? parse(text, arena) : std::vector<caching::Url>()) texts.emplace(url.authority);
  if (texts.empty()) return wrong(text, "is no host: write NAME or NAME:PORT");
  return {{"texts", texts}};
}

json each(const json& question, const char* kind, const std::function<json(const std::string&)>& answer) {
  json answers = json::array();
  for (const json& one : question.value(kind, json::array())) answers.push_back(answer(one.get<std::string>()));
  return answers;
}

}   // namespace

json purge_subjects(const proxy::Configuration& configuration, const json& question) {
  const auto url_of = [&](const std::string& text) -> json {
    http::Arena arena;
    proxy::UrlSubjects subjects;
    const std::vector<caching::Url> urls = parse(text, arena);
    if (urls.empty()) return wrong(text, "is no http or https URL");
    for (const caching::Url& url : urls) {
      proxy::UrlSubjects found = proxy::url_subjects(configuration, url, raw_path_in(text));
      subjects.texts.merge(found.texts);
      subjects.keys.merge(found.keys);
    }
    if (subjects.texts.empty()) return wrong(text, "is longer than the key of anything that is stored");
    return {{"texts", subjects.texts}, {"keys", subjects.keys}};
  };
  return {{"urls", each(question, "urls", url_of)},
          {"prefixes", each(question, "prefixes", prefix_of)},
          {"hosts", each(question, "hosts", host_of)}};
}

}   // namespace proxyd::worker
