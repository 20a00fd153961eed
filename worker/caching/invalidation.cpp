#include "worker/caching/invalidation.h"

#include <algorithm>

#include "worker/caching/field_lines.h"

namespace proxyd::caching {
namespace {

using http::Method;

void add(Invalidation& invalidation, const Url& url) {
  const auto known = invalidation.urls();
  if (std::find(known.begin(), known.end(), url) == known.end()) invalidation.room[invalidation.count++] = url;
}

}   // namespace

bool is_unsafe(const http::RequestHead& request) {
  switch (request.method) {
    case Method::kGet:
    case Method::kHead:
    case Method::kOptions:
    case Method::kTrace:
    case Method::kConnect:               // has no URL
    case Method::kPurge: return false;   // never an origin's
    case Method::kOther: break;
    default: return true;
  }
  constexpr std::array<std::string_view, 5> kSafe = {"PROPFIND", "REPORT", "SEARCH", "QUERY", "PRI"};
  return std::find(kSafe.begin(), kSafe.end(), request.method_text) == kSafe.end();
}

Invalidation invalidated_by(const http::RequestHead& request, const http::ResponseHead& response, const Url& url) {
  Invalidation invalidation;
  if (response.status < 200 || response.status >= 400 || !is_unsafe(request)) return invalidation;
  add(invalidation, url);
  for (const std::string_view name : {"Location", "Content-Location"}) {
    const std::string_view reference = combined_lines(response.fields, name);
    if (!reference.data()) continue;
    const std::optional<Url> other = resolve(reference, url, response.fields.arena());
    if (other && other->same_origin(url)) add(invalidation, *other);
  }
  return invalidation;
}

}   // namespace proxyd::caching
