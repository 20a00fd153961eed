#include "worker/proxy/stored_head.h"

#include <algorithm>
#include <cstring>

#include "worker/http1/head_parser.h"
#include "worker/http1/serializer.h"

namespace proxyd::proxy {
namespace {

constexpr int64_t kWorthValidating = int64_t{24} * 3600 * 1000;   // beyond the lifetime, where there is a validator

}   // namespace

std::string_view metadata_of(const caching::Freshness& freshness) {
  return {reinterpret_cast<const char*>(&freshness), sizeof freshness};
}

caching::Freshness freshness_of(const cache::StoredResponse& stored) {
  caching::Freshness freshness;
  std::memcpy(&freshness, stored.metadata().data(), sizeof freshness);
  return freshness;
}

std::string_view section_of(const http::Fields& fields) {
  size_t size = 0;
  for (const http::Field& field : fields) size += field.name.size() + field.value.size() + 4;
  http1::Serializer serializer(fields.arena().allocate_text(size), size);
  serializer.field_lines(fields);
  return serializer.text();
}

void read_section(std::string_view section, http::Fields& fields) {
  const http1::HeadRules rules{.max_line = section.size() + 1,
                               .max_section = section.size() + 1,
                               .max_fields = section.size(),
                               .underscore = http1::Underscore::kPass};
  http1::LineScanner scanner;
  http1::FieldSection lines(fields, rules);
  (void)lines.parse(section, scanner);   // there is no empty line, so it asks for more
}

int64_t keep_until(const caching::Freshness& freshness) {
  const int64_t beyond = std::max(freshness.stale_while_revalidate, freshness.stale_if_error);
  return freshness.fresh_until() + std::max(beyond, freshness.has_validator() ? kWorthValidating : 0);
}

}   // namespace proxyd::proxy
