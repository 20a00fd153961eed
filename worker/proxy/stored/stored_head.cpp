#include "worker/proxy/stored/stored_head.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "worker/caching/revalidation.h"
#include "worker/http/preconditions.h"
#include "worker/http1/head_parser.h"
#include "worker/http1/serializer.h"

namespace proxyd::proxy {
namespace {

constexpr int64_t kWorthValidating = int64_t{24} * 3600 * 1000;   // beyond the lifetime, where there is a validator

// Two octets of a key (FNV-1a): two variants with the same count as one.
std::array<char, 2> mark_of(std::string_view key) {
  uint32_t hash = 2166136261u;
  for (const char c : key) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return {static_cast<char>(hash >> 24), static_cast<char>(hash >> 16)};
}

}   // namespace

std::string_view metadata_of(const caching::Freshness& freshness) {
  return {reinterpret_cast<const char*>(&freshness), sizeof freshness};
}

caching::Freshness freshness_of(const cache::StoredResponse& stored) {
  caching::Freshness freshness;
  std::memcpy(&freshness, stored.metadata().data(), sizeof freshness);
  return freshness;
}

bool VaryHead::knows(std::string_view variant_key) const {
  const std::array<char, 2> mark = mark_of(variant_key);
  for (size_t at = 0; at < variants.size(); at += 2) {
    if (variants[at] == mark[0] && variants[at + 1] == mark[1]) return true;
  }
  return false;
}

VaryHead vary_head_of(const cache::StoredResponse& stored) {
  const std::string_view metadata = stored.metadata();
  const size_t octets = 2 * static_cast<uint8_t>(metadata.front());
  return {metadata.substr(1, octets), metadata.substr(1 + octets)};
}

std::string_view metadata_with(const VaryHead& head, std::string_view variant_key, http::Arena& arena) {
  const std::array<char, 2> mark = mark_of(variant_key);
  const char count = static_cast<char>(head.count() + 1);
  return arena.concat(std::string_view(&count, 1), head.variants, std::string_view(mark.data(), mark.size()),
                      head.list);
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

bool part_answers(const cache::StoredResponse& part, const http::RequestHead& request, int64_t wall) {
  if (request.method != http::Method::kGet) return false;
  const std::string_view range = request.fields.combined(http::FieldName::kRange);
  http::Fields fields(request.fields.arena());
  read_section(part.section(), fields);
  const auto where = http::parse_content_range(fields.value(http::FieldName::kContentRange));
  const http::Validators validators{.etag = fields.value(http::FieldName::kEtag), .date = freshness_of(part).date};
  const bool same = http::if_range_holds(request.fields, validators, wall);
  return !range.empty() && same && where && caching::range_within(range, *where).has_value();
}

int64_t keep_until(const caching::Freshness& freshness) {
  const int64_t beyond = std::max(freshness.stale_while_revalidate, freshness.stale_if_error);
  const int64_t since = std::max(freshness.response_time, freshness.fresh_until());
  return since + std::max(beyond, freshness.has_validator() ? kWorthValidating : 0);
}

}   // namespace proxyd::proxy
