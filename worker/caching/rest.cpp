#include "worker/caching/rest.h"

#include "worker/http/preconditions.h"

namespace proxyd::caching {

using http::FieldName;

bool Rest::can_be_asked_for() const { return http::strongly_equal(etag, etag); }

void Rest::ask_by(http::Fields& fields) const {
  http::Arena& arena = fields.arena();
  const std::string_view last = end ? arena.number(*end - 1) : std::string_view();
  fields.set(to_string(FieldName::kRange), arena.concat("bytes=", arena.number(begin), "-", last));
  fields.set(to_string(FieldName::kIfRange), etag);
}

std::optional<uint64_t> Rest::begins_at(const http::ResponseHead& answer) const {
  if (!http::strongly_equal(answer.fields.value(FieldName::kEtag), etag)) return std::nullopt;
  if (answer.status == 200) {
    const bool known = answer.content.kind == http::ContentLength::Kind::kKnown;
    return !known || !complete || answer.content.bytes == *complete ? std::optional<uint64_t>(0) : std::nullopt;
  }
  const auto part = http::parse_content_range(answer.fields.value(FieldName::kContentRange));
  if (answer.status != 206 || !part || part->unsatisfied || part->range.first != begin) return std::nullopt;
  if (complete && part->complete && *complete != *part->complete) return std::nullopt;
  const std::optional<uint64_t> until = end ? end : part->complete;   // all of it, not some
  return until && part->range.last + 1 >= *until ? std::optional(begin) : std::nullopt;
}

std::optional<Rest> rest_of(const http::ContentRange& part, std::string_view etag) {
  const bool is_beginning = !part.unsatisfied && part.range.first == 0;
  if (!is_beginning || part.complete == part.range.last + 1) return std::nullopt;
  return Rest{.etag = etag, .begin = part.range.last + 1, .complete = part.complete};
}

}   // namespace proxyd::caching
