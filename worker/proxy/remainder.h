#pragma once

#include "worker/async/task.h"
#include "worker/proxy/relay/relay_content.h"
#include "worker/proxy/request.h"
#include "worker/proxy/stored_answer.h"
#include "worker/upstream/upstream_group.h"

namespace proxyd::proxy {

// What a client reads out of the cache broke off while somebody else fetched it: it grew larger than what may be
// stored, there was no room, or the origin failed. Under a strong validator the rest is asked of the origin by Range
// and If-Range (RFC 9110 13.1.5, 14.2) and goes on where the answer stopped; never a guess. Suspends. Without a rest
// kCut: the answer is to be cut, by whose fault the fetch has counted.
async::Task<Relayed> relay_remainder(Request& request, const upstream::UpstreamGroup& group,
                                     StoredAnswer::Remainder remainder);

}   // namespace proxyd::proxy
