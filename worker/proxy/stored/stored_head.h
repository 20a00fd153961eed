#pragma once

#include <cstdint>
#include <string_view>

#include "shared/cache/stored_response.h"
#include "worker/caching/freshness.h"
#include "worker/http/head.h"

namespace proxyd::proxy {

// What the cache keeps of a response beside its content: its freshness as the opaque metadata, and its field section as
// lines that are ready to send, without those that frame. Of a vary head the metadata is a VaryHead. Plain
// functions; what is read points into the region and lives as long as the handle.

// As the octets that `freshness_of` reads. A view of the value.
std::string_view metadata_of(const caching::Freshness& freshness);
// The response's head is there (`has_head`), and it is no vary head.
caching::Freshness freshness_of(const cache::StoredResponse& stored);

inline constexpr size_t kMostVariants = 64;   // of a URL

// Which variants have been stored by a list, as two octets each, and the list itself.
struct VaryHead {
  std::string_view variants;
  std::string_view list;

  size_t count() const { return variants.size() / 2; }
  bool knows(std::string_view variant_key) const;
};
VaryHead vary_head_of(const cache::StoredResponse& stored);
// As metadata, with one variant more.
std::string_view metadata_with(const VaryHead& head, std::string_view variant_key, http::Arena& arena);

// The lines of a section, in the fields' arena.
std::string_view section_of(const http::Fields& fields);
// The fields of a section that was written so.
void read_section(std::string_view section, http::Fields& fields);

// Whether a stored part answers a request: for octets of it, and nothing else (RFC 9111 3.3). `wall`: seconds since
// 1970.
bool part_answers(const cache::StoredResponse& part, const http::RequestHead& request, int64_t wall);

// Until when (steady milliseconds) it is of use: fresh, allowed when stale, or worth a question to the origin.
int64_t keep_until(const caching::Freshness& freshness);

}   // namespace proxyd::proxy
