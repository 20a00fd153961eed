#include "worker/proxy/stored/stored_part.h"

#include <array>

#include "worker/caching/revalidation.h"
#include "worker/http/preconditions.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {

using http::FieldName;

StoredPart::StoredPart(cache::StoredResponse response, http::Arena& arena) : response_(std::move(response)) {
  http::Fields fields(arena);
  read_section(response_.section(), fields);
  where_ = http::parse_content_range(fields.value(FieldName::kContentRange));
  etag_ = fields.value(FieldName::kEtag);
}

std::string_view StoredPart::wanted_rest(http::Arena& arena) const {
  const bool strong = http::strongly_equal(etag_, etag_);
  return where_ && strong ? caching::completing_range(*where_, arena) : std::string_view();
}

bool StoredPart::is_completed_by(const http::ResponseHead& rest) const {
  using Kind = http::ContentLength::Kind;
  const auto range = http::parse_content_range(rest.fields.value(FieldName::kContentRange));
  const bool is_end = range && !range->unsatisfied && range->complete && *range->complete == range->range.last + 1;
  return where_ && is_end && range->range.first == where_->range.last + 1 && rest.content.kind == Kind::kKnown &&
         rest.content.bytes == range->range.size() && response_.length() == where_->range.size() &&
         http::strongly_equal(rest.fields.value(FieldName::kEtag), etag_);
}

bool StoredPart::append_to(cache::Filler& filler) const {
  std::array<std::string_view, 1> range;
  for (uint64_t at = 0; response_.content(at, range) > 0; at += range[0].size()) {
    if (filler.append(range[0]) < range[0].size()) return false;
  }
  return true;
}

}   // namespace proxyd::proxy
