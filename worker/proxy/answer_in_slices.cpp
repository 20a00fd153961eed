#include "worker/proxy/answer_in_slices.h"

#include "worker/caching/cache_key.h"
#include "worker/caching/slices.h"
#include "worker/proxy/background.h"
#include "worker/proxy/failure.h"
#include "worker/proxy/relay_rest.h"
#include "worker/proxy/slices.h"
#include "worker/proxy/stored/stored_head.h"
#include "worker/proxy/stored_answer.h"

namespace proxyd::proxy {

namespace {

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

}   // namespace

bool is_stored_whole(cache::Cache& cache, std::string_view primary_key, int64_t now) {
  const cache::Lookup found = cache.find(primary_key, cache.published(), now);
  if (found.outcome != cache::Lookup::Outcome::found || found.purged == cache::Purged::hard) return false;
  const bool is_response = found.response.has_head() && found.response.kind() == cache::Kind::response;
  return !is_response || !freshness_of(found.response).has(caching::Freshness::kPartial);
}

async::Task<InSlices> answer_in_slices(Request& request, const caching::Policy& policy, const Origin& origin) {
  const auto octet = caching::octet_to_begin_with(request.head, policy);
  const auto whole_key = caching::cache_key(request.url(), request.head.fields, policy.key, origin.partition);
  if (!octet || !whole_key) co_return InSlices::kWhole;
  SharedCache& shared = request.proxy.shared_cache();
  if (is_stored_whole(shared.cache(), whole_key->text, shared.now())) co_return InSlices::kWhole;
  Slices slices(request, policy, origin);
  const Found found = co_await slices.open(*octet);
  if (found == Found::kFailed) {
    note_origin(request, slices.opened());
    co_await slices.opened().fail();
    co_return InSlices::kAnswered;
  }
  if (found != Found::kYes) co_return found == Found::kNotNow ? InSlices::kAsAsked : InSlices::kWhole;
  note_origin(request, slices.opened());
  if (slices.opened().visit().wants_validation()) validate_in_background(request, slices.number());
  StoredAnswer answer(request, slices.opened().visit(), &slices);
  if (!answer.begin()) {
    request.exchange.reset();
    co_return InSlices::kAnswered;
  }
  answer.release_heads();
  Relay relay(request.loop(), answer.content(), request.exchange.sink(), answer.limits());
  Relayed relayed = co_await relay_content(relay);
  const caching::Slice& whole = slices.whole();
  const caching::Rest rest{whole.etag, slices.position(), slices.end(), whole.complete};
  const bool broke_off = relayed.end == Relayed::End::kSourceFailed && slices.position() < slices.end();
  if (broke_off) relayed = co_await relay_rest(request, origin.group, rest);
  cut_response(request, origin.group, relayed);
  co_return InSlices::kAnswered;
}

}   // namespace proxyd::proxy
