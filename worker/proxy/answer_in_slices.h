#pragma once

#include "worker/async/task.h"
#include "worker/caching/policy.h"
#include "worker/proxy/origin.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {

// Answers a request for a content that its policy stores in slices. Null: it is answered. Else nothing was sent, and
// the policy tells how to go on: with the whole, or, for now, with what the client asked for. Suspends.
async::Task<const caching::Policy*> answer_in_slices(Request& request, const caching::Policy& policy,
                                                     const Origin& origin);

}   // namespace proxyd::proxy
