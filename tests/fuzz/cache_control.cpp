#include "worker/caching/cache_control.h"

#include <cstdlib>
#include <string>

// Oracle: what was understood, written as RFC 9111 writes it, is understood as the same; and it does not matter whether
// directives come in one line or in two.
namespace {

using namespace proxyd;
using caching::CacheControl;

std::string written(const CacheControl& control) {
  std::string text;
  const auto limit = [&](std::string_view name, int64_t seconds) {
    if (seconds != CacheControl::kAbsent) text += std::string(name) + "=\"" + std::to_string(seconds) + "\", ";
  };
  const auto flag = [&](std::string_view name, bool set) {
    if (set) text += std::string(name) + ", ";
  };
  limit("max-age", control.max_age);
  limit("s-maxage", control.s_maxage);
  limit("stale-while-revalidate", control.stale_while_revalidate);
  limit("stale-if-error", control.stale_if_error);
  limit("max-stale", control.max_stale);
  limit("min-fresh", control.min_fresh);
  flag("no-store", control.no_store);
  flag("no-cache", control.no_cache);
  flag("private", control.is_private);
  flag("public", control.is_public);
  flag("must-revalidate", control.must_revalidate);
  flag("proxy-revalidate", control.proxy_revalidate);
  flag("must-understand", control.must_understand);
  flag("immutable", control.immutable);
  flag("only-if-cached", control.only_if_cached);
  return text;
}

template <class Parse>
CacheControl parsed(std::string_view first, std::string_view second, Parse parse) {
  http::Arena arena;
  http::Fields fields(arena);
  fields.add("Cache-Control", first);
  fields.add("Cache-Control", second);
  CacheControl control = parse(fields);
  control.any = false;   // an invalid value that counts as absent leaves nothing to write
  return control;
}

template <class Parse>
void check(std::string_view value, Parse parse) {
  const CacheControl control = parsed(value, {}, parse);
  if (parsed(written(control), {}, parse) != control) std::abort();
  const size_t comma = value.find(',');
  if (value.find('"') != std::string_view::npos || comma == std::string_view::npos) return;
  if (parsed(value.substr(0, comma), value.substr(comma + 1), parse) != control) std::abort();
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  check(value, caching::parse_response_directives);
  check(value, caching::parse_request_directives);
  return 0;
}
