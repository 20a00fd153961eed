#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "worker/caching/url.h"
#include "worker/http/head.h"

namespace proxyd::caching {

// Methods that may change what they are sent to, and those nobody knows (RFC 9110 9.2.1, RFC 9111 4.4).
bool is_unsafe(const http::RequestHead& request);

// What stored responses an answer makes invalid (RFC 9111 4.4), in all their variants: after a success or redirect of
// an unsafe method those of the URL itself and, on the same origin, of Location and Content-Location. Each URL once.
struct Invalidation {
  std::array<Url, 3> room;
  size_t count = 0;

  std::span<const Url> urls() const& { return {room.data(), count}; }
  std::span<const Url> urls() && = delete;   // a view into a temporary
};

Invalidation invalidated_by(const http::RequestHead& request, const http::ResponseHead& response, const Url& url);

}   // namespace proxyd::caching
