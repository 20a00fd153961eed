#include <cstdlib>
#include <string>

#include "worker/caching/structured_field.h"
#include "worker/caching/targeted.h"

// Oracle: what was understood, written as a dictionary, is understood as the same; what stands behind a fault never
// counts; and a field that is well formed stays so with another member.
namespace {

using namespace proxyd::caching;

std::string written(const CacheControl& control) {
  std::string text = "x";   // a field that says nothing that we know is one all the same
  const auto limit = [&](std::string_view key, int64_t seconds) {
    if (seconds != CacheControl::kAbsent) text += ", " + std::string(key) + "=" + std::to_string(seconds) + ";p";
  };
  const auto flag = [&](std::string_view key, bool set) { text += ", " + std::string(key) + (set ? "" : "=?0"); };
  limit("max-age", control.max_age);
  limit("s-maxage", control.s_maxage);
  limit("stale-while-revalidate", control.stale_while_revalidate);
  limit("stale-if-error", control.stale_if_error);
  flag("no-store", control.no_store);
  flag("no-cache", control.no_cache);
  flag("private", control.is_private);
  flag("public", control.is_public);
  flag("must-revalidate", control.must_revalidate);
  flag("proxy-revalidate", control.proxy_revalidate);
  flag("must-understand", control.must_understand);
  flag("immutable", control.immutable);
  return text;
}

bool is_well_formed(std::string_view field, StructuredField::Type type) {
  StructuredField members(field, type);
  size_t count = 0;
  while (members.next()) {
    if (++count > field.size()) std::abort();
  }
  return members.well_formed();
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view field(reinterpret_cast<const char*>(data), size);
  const std::optional<CacheControl> control = parse_targeted(field);
  if (control && parse_targeted(written(*control)) != control) std::abort();
  for (const auto type : {StructuredField::Type::kList, StructuredField::Type::kDictionary}) {
    if (field.find_first_not_of(' ') == std::string_view::npos) continue;
    const bool well_formed = is_well_formed(field, type);
    if (is_well_formed(std::string(field) + " ,\ta", type) != well_formed) std::abort();
    if (well_formed && is_well_formed(std::string(field) + ",", type)) std::abort();
    if (well_formed && is_well_formed(std::string(field) + ", &", type)) std::abort();
  }
  return 0;
}
