#pragma once

#include <cstdint>
#include <string_view>

#include "shared/cache/stored_response.h"
#include "worker/caching/freshness.h"
#include "worker/http/fields.h"

namespace proxyd::proxy {

// What the cache keeps of a response beside its content: its freshness as the opaque metadata, and its field section as
// lines that are ready to send, without those that frame. Of a vary head the metadata is the vary list. Plain
// functions; what is read points into the region and lives as long as the handle.

// As the octets that `freshness_of` reads. A view of the value.
std::string_view metadata_of(const caching::Freshness& freshness);
// The response's head is there (`has_head`), and it is no vary head.
caching::Freshness freshness_of(const cache::StoredResponse& stored);

// The lines of a section, in the fields' arena.
std::string_view section_of(const http::Fields& fields);
// The fields of a section that was written so.
void read_section(std::string_view section, http::Fields& fields);

// Until when (steady milliseconds) it is of use: fresh, allowed when stale, or worth a question to the origin.
int64_t keep_until(const caching::Freshness& freshness);

}   // namespace proxyd::proxy
