#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "shared/config/model.h"
#include "worker/http/head.h"

namespace proxyd::caching {

inline constexpr size_t kMostPurgedTags = 1024;

// What a PURGE names, in whichever way the plugins of content systems say it (the README has the table):
//
//   tags       in the fields that the host's `purge.tags` names; or as expressions for whole tags in
//              X-Magento-Tags-Pattern ("((^|,)a(,|$))|((^|,)b(,|$))") and X-Cache-Tags-Pattern (there "a|b" too);
//   the host   by the pattern ".*", or by the path "/.*", read as a folder's is;
//   a folder   by a path that ends in ".*", with `X-Purge-Method: regex` or without that field;
//   a ban      by any other expression, of tags or of paths;
//   the URL    otherwise.
//
// Tags go before all else. A "|" divides tags in every field, for bundles are sent so, and stands for itself too.
// A value of one request, with views into it. Reading it is pure.
struct PurgeRequest {
  enum class Subject : uint8_t { kUrl, kTags, kFolder, kHost, kPaths };
  enum class Fault : uint8_t { kNone, kNoTags, kTooManyTags };

  Fault fault = Fault::kNone;
  Subject subject = Subject::kUrl;
  bool soft = false;                    // asked for; else it is the host's mode
  bool with_host = false;               // beside tags: a pattern was ".*"
  std::vector<std::string_view> tags;   // some may be there twice
  // Of a folder: "/a/b/", in normal form and as it was written. What a path names beyond its last slash can't be told
  // apart by prefixes, so the whole folder goes: "/a/b/c.*" is "/a/b/", and "/c.*" the host.
  std::string_view folder;
  std::string_view raw_folder;
  // Of paths, which has one at least, as it was written, then in other spellings: the normal form, and with the
  // percent- encoding undone that a client puts round what has a meaning in expressions. Beside tags: those that say
  // other than whole ones.
  std::vector<std::string_view> expressions;
};

PurgeRequest read_purge(const http::RequestHead& head, const config::Purge& settings);

// What is wrong, and what to do, for whoever sent it; not for kNone.
std::string_view explanation_of(PurgeRequest::Fault fault);

}   // namespace proxyd::caching
