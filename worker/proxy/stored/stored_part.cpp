#include "worker/proxy/stored/stored_part.h"

#include <array>

#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {

using http::FieldName;

namespace {

constexpr uint64_t kMostJoined = 16u << 20;   // octets: they are copied in one pass of the loop

}   // namespace

StoredPart::StoredPart(cache::StoredResponse response, http::Arena& arena) : response_(std::move(response)) {
  const http::Fields fields = this->fields(arena);
  const auto where = http::parse_content_range(fields.value(FieldName::kContentRange));
  if (where && response_.length() == where->range.size())
    rest_ = caching::rest_of(*where, fields.value(FieldName::kEtag));
  if (rest_ && (!rest_->can_be_asked_for() || rest_->begin > kMostJoined)) rest_.reset();
}

http::Fields StoredPart::fields(http::Arena& arena) const {
  http::Fields fields(arena);
  read_section(response_.section(), fields);
  return fields;
}

bool StoredPart::is_completed_by(const http::ResponseHead& answer) const {
  using Kind = http::ContentLength::Kind;
  const bool is_rest = answer.status == 206 && rest_ && rest_->begins_at(answer) == rest_->begin;
  const auto part = is_rest ? http::parse_content_range(answer.fields.value(FieldName::kContentRange)) : std::nullopt;
  return part && answer.content.kind == Kind::kKnown && answer.content.bytes == part->range.size();
}

bool StoredPart::append_to(cache::Filler& filler) const {
  std::array<std::string_view, 1> range;
  for (uint64_t at = 0; response_.content(at, range) > 0; at += range[0].size()) {
    if (filler.append(range[0]) < range[0].size()) return false;
  }
  return true;
}

}   // namespace proxyd::proxy
