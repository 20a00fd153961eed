#include "worker/proxy/invalidate.h"

#include "shared/cache/subjects.h"
#include "worker/caching/groups.h"
#include "worker/caching/invalidation.h"
#include "worker/proxy/proxy.h"
#include "worker/proxy/url_subjects.h"

namespace proxyd::proxy {
namespace {

constexpr int kMostTries = 16;
constexpr auto kNextTry = milliseconds(10);   // a peer that is stopped with the lock is not waited for in one piece

}   // namespace

async::Task<std::optional<uint64_t>> invalidate(Request& request, const http::ResponseHead& response) {
  if (request.configuration->cache_policies.empty()) co_return std::nullopt;
  cache::PurgeStamps& stamps = request.proxy.shared_cache().cache().stamps();
  const caching::Url asked = url_of(request.facts, nullptr);
  cache::PurgeList subjects(stamps);
  const caching::Invalidation invalidation = caching::invalidated_by(request.head, response, asked);
  for (const caching::Url& url : invalidation.urls()) {
    const std::string_view raw = url.path == asked.path ? request.head.target.raw_path() : url.path;
    for (const std::string& text : url_subjects(*request.configuration, url, raw).texts) subjects.add_url(text);
  }
  const caching::TagList groups = caching::invalidated_groups(request.head, response);
  for (const std::string_view group : groups.tags())
    subjects.add_tag(caching::group_tag(asked, group, request.arena()));
  if (groups.overflowed()) subjects.add_host(request.facts.host);   // rather too much
  if (subjects.words().empty()) co_return std::nullopt;
  for (int tries = 0; tries < kMostTries; ++tries) {
    if (tries > 0) co_await async::Sleep(request.loop(), Deadline::at(request.loop().now() + kNextTry));
    const auto sequence = stamps.purge(subjects.words(), cache::PurgeMode::hard, cache::Wait::briefly);
    if (sequence) co_return sequence;
  }
  request.proxy.log().warning("what {} changed could not be invalidated: the cache's purge lock is held", asked.path);
  co_return std::nullopt;
}

}   // namespace proxyd::proxy
