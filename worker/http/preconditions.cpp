#include "worker/http/preconditions.h"

#include <algorithm>

#include "worker/http/date.h"
#include "worker/http/list.h"

namespace proxyd::http {
namespace {

bool is_weak(std::string_view etag) { return etag.starts_with("W/"); }

std::string_view opaque(std::string_view etag) { return is_weak(etag) ? etag.substr(2) : etag; }

// Walks a list of entity tags, in which a comma may stand between quotes and a backslash means itself (RFC 9110 8.8.3).
class EntityTags {
 public:
  explicit EntityTags(std::string_view list) : rest_(list) {}

  std::optional<std::string_view> next() {
    while (!rest_.empty() && (rest_.front() == ',' || is_space(rest_.front()))) rest_.remove_prefix(1);
    if (rest_.empty()) return std::nullopt;
    const size_t quote = is_weak(rest_) ? 2 : 0;
    size_t from = 0;
    if (quote < rest_.size() && rest_[quote] == '"') {
      const size_t closing = rest_.find('"', quote + 1);
      from = closing == std::string_view::npos ? rest_.size() : closing;
    }
    const size_t end = std::min(rest_.find(',', from), rest_.size());
    const std::string_view tag = trim(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return tag;
  }

 private:
  std::string_view rest_;
};

// One of the tags of all lines of that name is the representation's; "*" is anything that exists.
bool names(const Fields& request, FieldName name, const Validators& validators,
           bool (*equal)(std::string_view, std::string_view)) {
  if (!validators.exists) return false;
  for (const Field& field : request) {
    if (field.known != name) continue;
    if (trim(field.value) == "*") return true;
    EntityTags tags(field.value);
    while (const auto tag = tags.next()) {
      if (!validators.etag.empty() && equal(*tag, validators.etag)) return true;
    }
  }
  return false;
}

std::optional<int64_t> date_in(const Fields& request, FieldName name, int64_t now) {
  const Field* field = request.find(name);
  return field ? parse_date(field->value, now) : std::nullopt;
}

bool unmodified_since_fails(const Fields& request, const Validators& validators, int64_t now) {
  const std::optional<int64_t> since = date_in(request, FieldName::kIfUnmodifiedSince, now);
  return since && validators.last_modified && *validators.last_modified > *since;
}

bool is_unmodified_since(const Fields& request, const Validators& validators, int64_t now) {
  const std::optional<int64_t> since = date_in(request, FieldName::kIfModifiedSince, now);
  return since && validators.exists && validators.last_modified.value_or(validators.date) <= *since;
}

}   // namespace

bool strongly_equal(std::string_view one_etag, std::string_view other) {
  return !one_etag.empty() && !is_weak(one_etag) && one_etag == other;
}

bool weakly_equal(std::string_view one_etag, std::string_view other) { return opaque(one_etag) == opaque(other); }

Precondition evaluate_preconditions(Method method, const Fields& request, const Validators& validators, int64_t now) {
  const bool reads = method == Method::kGet || method == Method::kHead;
  if (request.has(FieldName::kIfMatch)) {
    if (!names(request, FieldName::kIfMatch, validators, strongly_equal)) return Precondition::kFailed;
  } else if (unmodified_since_fails(request, validators, now)) {
    return Precondition::kFailed;
  }
  if (request.has(FieldName::kIfNoneMatch)) {
    if (!names(request, FieldName::kIfNoneMatch, validators, weakly_equal)) return Precondition::kHolds;
    return reads ? Precondition::kNotModified : Precondition::kFailed;
  }
  return reads && is_unmodified_since(request, validators, now) ? Precondition::kNotModified : Precondition::kHolds;
}

bool if_range_holds(const Fields& request, const Validators& validators, int64_t now) {
  const Field* field = request.find(FieldName::kIfRange);
  if (!field) return true;
  if (!validators.exists) return false;
  const std::string_view value = trim(field->value);
  if (is_weak(value) || value.starts_with('"')) return value.starts_with('"') && strongly_equal(value, validators.etag);
  const std::optional<int64_t> date = parse_date(value, now);
  if (!date || !validators.last_modified) return false;
  return *date == *validators.last_modified && validators.date > *date;   // it can't have changed twice in that second
}

}   // namespace proxyd::http
