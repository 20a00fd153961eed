#pragma once

#include "worker/async/task.h"
#include "worker/proxy/fetch.h"

namespace proxyd::proxy {

// What becomes of a request that went wrong on its way to an origin or back; each of them counts and records it.

// There is no response: answers the client, unless that is gone. Suspends while it takes the answer.
async::Task<void> answer_failure(Request& request, Fetch& fetch, Fetch::Outcome outcome);
// The client's content went wrong while its answer was on its way already.
void note_failed_upload(Request& request, const Relayed& upload);
// The response broke off: resets the exchange, so that its client does not take it for whole. Nothing for a whole one.
void cut_response(Request& request, const upstream::UpstreamGroup& group, const Relayed& relayed);

}   // namespace proxyd::proxy
