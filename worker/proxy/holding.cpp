#include "worker/proxy/holding.h"

#include "worker/caching/bypass.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {
namespace {

using caching::Reason;

bool is_forwarded_beyond_key(const Request& request, const caching::Policy& policy) {
  const routing::RequestFacts& facts = request.facts;
  return facts.from_trusted_proxy &&
         caching::has_foreign_forwarding_fields(request.head.fields, facts.authority, facts.scheme, policy);
}

}   // namespace

Holding::Holding(Request& of, const caching::Policy& by, std::string_view partition)
    : request(of), shared(of.proxy.shared_cache()), policy(by) {
  const http::RequestHead& head = request.head;
  control = caching::request_directives(head.fields, policy);
  status.reason = caching::why_bypassed(head, policy);
  if (status.reason != Reason::kNone && !caching::is_post_to_be_stored(head, policy)) return;
  primary = caching::cache_key(request.url(), head.fields, policy.key, partition);
  if (!primary) status.reason = Reason::kKeyTooLong;
  if (!primary) return;
  key = primary->text;
  sequence = shared.cache().published();
  if (control.no_store) status.detail = Reason::kRequestNoStore;
  if (is_forwarded_beyond_key(request, policy)) status.detail = Reason::kForwardingFields;
  speaks_for_all = status.detail == Reason::kNone;
  may_store = speaks_for_all && head.method != http::Method::kHead;
}

const http::Fields& Holding::stored_section() {
  if (!section) {
    section.emplace(request.arena());
    read_section(stored.section(), *section);
  }
  return *section;
}

caching::StoredValidators Holding::stored_validators() {
  const http::Fields& fields = stored_section();
  return {fields.value(http::FieldName::kEtag), fields.value(http::FieldName::kLastModified)};
}

bool Holding::serve_stale_if_error() {
  const bool at_hand = fits && stored && stored.state() == cache::State::complete;
  if (!at_hand || !caching::may_serve_stale_if_error(freshness, control, shared.now())) return false;
  serves = Serves::kStaleIfError;
  return true;
}

}   // namespace proxyd::proxy
