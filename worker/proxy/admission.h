#pragma once

#include <chrono>
#include <span>

#include "worker/async/task.h"
#include "worker/proxy/proxy_error.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {

// Why a request is not let in.
struct Denial {
  int status = 0;   // 0: it is
  ProxyError error = ProxyError::kNone;
  std::string_view detail = {};
  const RateRule* rate = nullptr;   // of which it was one too many
  std::chrono::nanoseconds wait{};

  explicit operator bool() const { return status != 0; }
};

// What the request's route asks before it answers; null: nothing.
inline const RouteGuard* guard_of(const Request& request) {
  return request.configuration->route_guard[request.matched.route->index].get();
}

// Asks the access lists, counts the request among those of its client that run, and takes it from the rates that count
// all requests, in this order. What it takes is counted, whatever comes of it; where several rates hold none is taken
// from unless all have one left. Nothing suspends.
Denial admit(Request& request, const RouteGuard& guard);

// Takes it from the rates that count what an origin is asked for, once.
Denial admit_to_origin(Request& request, const RouteGuard& guard);

// Says so to the client: by a rate with Retry-After, RateLimit and RateLimit-Policy. Suspends.
async::Task<void> answer_denied(Request& request, Denial denial);

}   // namespace proxyd::proxy
