#pragma once

#include <set>
#include <string>
#include <string_view>

#include "worker/caching/url.h"
#include "worker/proxy/configuration.h"

namespace proxyd::proxy {

// What a URL may be stored under, for whoever purges it: the texts of its stamps (shared/cache/subjects.h), and the
// primary keys where no header and no cookie is in them. In both schemes. A value.
struct UrlSubjects {
  std::set<std::string> texts;
  std::set<std::string> keys;
};

// A route is chosen by more than the URL (methods, headers …), so the key rules of all routes that may be meant are
// gone through, on every listener: purged too much, never too little. `url` is in normal form; `raw_path` is its path
// as it was written, which routes with raw_path make their keys of. Empty when the URL is too long for any key.
UrlSubjects url_subjects(const Configuration& configuration, const caching::Url& url, std::string_view raw_path);

}   // namespace proxyd::proxy
