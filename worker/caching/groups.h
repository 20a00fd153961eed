#pragma once

#include "worker/caching/tags.h"
#include "worker/caching/url.h"
#include "worker/http/head.h"

namespace proxyd::caching {

// Cache groups (RFC 9875): responses of one origin that become invalid together. A field that is no List of Strings is
// ignored; parameters are passed over. Names as they stand in the field: what is escaped there is so everywhere.

// The groups that a response belongs to.
TagList cache_groups(const http::Fields& response_fields);

// The groups that an answer invalidates, if the request was unsafe (RFC 9875 3).
TagList invalidated_groups(const http::RequestHead& request, const http::ResponseHead& response);

// A group as a tag of its own kind, which no field of tags can name: groups of two origins are two groups.
std::string_view group_tag(const Url& origin, std::string_view group, http::Arena& arena);

}   // namespace proxyd::caching
