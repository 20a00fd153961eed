#include "worker/proxy/answer_in_slices.h"

#include "worker/caching/bypass.h"
#include "worker/proxy/background.h"
#include "worker/proxy/failure.h"
#include "worker/proxy/remainder.h"
#include "worker/proxy/slices.h"
#include "worker/proxy/stored/stored_head.h"
#include "worker/proxy/stored_answer.h"

namespace proxyd::proxy {

namespace {

using http::FieldName;
using Found = Slice::Found;

// What the log tells of the origin is what the slice that was opened had to do with it.
void note_origin(Request& request, Slice& opened) {
  const Request& own = opened.request();
  request.note_cache(opened.visit().result(), opened.visit().reason());
  request.facts.upstream = own.facts.upstream;
  request.facts.target = own.facts.target;
  request.attempts = own.attempts;
  request.connect = own.connect;
}

// What is stored whole, or varies by what the whole has, is answered from that.
bool is_stored_whole(Request& request, const caching::Policy& policy, const Origin& origin) {
  cache::Cache& cache = request.proxy.shared_cache().cache();
  const auto key = caching::cache_key(request.url(), request.head.fields, policy.key, origin.partition);
  if (!key) return true;
  const cache::Lookup found = cache.find(key->text, cache.published(), request.proxy.shared_cache().now());
  if (found.outcome != cache::Lookup::Outcome::found || found.purged == cache::Purged::hard) return false;
  const bool is_response = found.response.has_head() && found.response.kind() == cache::Kind::response;
  return !is_response || !freshness_of(found.response).has(caching::Freshness::kPartial);
}

// The slice that holds the first octet that is wanted; nothing where slices are not for this request.
std::optional<uint64_t> octet_to_begin_with(Request& request, const caching::Policy& policy, const Origin& origin) {
  if (caching::why_bypassed(request.head, policy) != caching::Reason::kNone) return std::nullopt;
  const bool is_head = request.head.method == http::Method::kHead;   // to which Range means nothing (RFC 9110 14.2)
  const auto octet = is_head ? std::optional<uint64_t>(0)
                             : caching::first_octet_wanted(request.head.fields.combined(FieldName::kRange));
  return octet && !is_stored_whole(request, policy, origin) ? octet : std::nullopt;
}

}   // namespace

async::Task<const caching::Policy*> answer_in_slices(Request& request, const caching::Policy& policy,
                                                     const Origin& origin) {
  const auto octet = octet_to_begin_with(request, policy, origin);
  if (!octet) co_return &policy;
  Slices slices(request, policy, origin);
  const Found found = co_await slices.open(*octet);
  if (found == Found::kFailed) {
    note_origin(request, slices.opened());
    co_await slices.opened().fail();
    co_return nullptr;
  }
  if (found != Found::kYes) co_return found == Found::kNotNow ? policy.of_each_slice.get() : &policy;
  note_origin(request, slices.opened());
  if (slices.opened().visit().wants_validation()) validate_in_background(request, slices.number());
  StoredAnswer answer(request, slices.opened().visit(), &slices);
  if (!answer.begin()) {
    request.exchange.reset();
    co_return nullptr;
  }
  answer.let_heads_go();
  Relay relay(request.loop(), answer.content(), request.exchange.sink(), answer.limits());
  Relayed relayed = co_await relay_content(relay);
  const bool may_ask = !caching::request_directives(request.head.fields, policy).only_if_cached;
  const caching::Slice& whole = slices.whole();
  const caching::Rest rest{whole.etag, slices.position(), slices.end(), whole.complete};
  const bool broke_off = relayed.end == Relayed::End::kSourceFailed && slices.position() < slices.end();
  if (broke_off && may_ask) relayed = co_await relay_remainder(request, origin.group, rest);
  cut_response(request, origin.group, relayed);
  co_return nullptr;
}

}   // namespace proxyd::proxy
