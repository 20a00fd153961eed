#pragma once

#include "worker/async/task.h"
#include "worker/caching/rest.h"
#include "worker/proxy/relay/relay_content.h"
#include "worker/proxy/request.h"
#include "worker/upstream/upstream_group.h"

namespace proxyd::proxy {

// What a client reads out of the cache broke off while somebody else fetched it: it grew larger than what may be
// stored, there was no room, or the origin failed. The rest is asked of the origin and goes on where the answer
// stopped; never a guess. Suspends. Without a rest kCut: the answer is to be cut, by whose fault the fetch has counted.
async::Task<Relayed> relay_rest(Request& request, const upstream::UpstreamGroup& group, caching::Rest rest);

}   // namespace proxyd::proxy
