#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "worker/caching/policy.h"
#include "worker/http/fields.h"

namespace proxyd::caching {

// Selecting a variant (RFC 9111 4.1) in two steps: the primary key finds a vary list, and the list with a request gives
// the secondary key of the variant.
//
// A vary list is a text: field names in lower case, sorted, each once, joined by ",". Behind accept-language may stand
// the languages that answers came in, "accept-language=de|en", so that a request that likes one of them best is given
// it. At most 16 names and 8 languages. A secondary key says for each name what the request has, normalized; two
// requests have the same one only if each selecting field says the same. At most 4 KiB.

inline constexpr size_t kMostVaryNames = 16;
inline constexpr size_t kMostVaryLanguages = 8;
inline constexpr size_t kMostSecondaryKey = 4096;

// The vary list of a response, empty when it does not vary; in the fields' arena. Nothing when no request matches it:
// "*", what is no list of names, too many.
std::optional<std::string_view> vary_list(const http::Fields& response_fields, const Policy& policy);

// Everything that two lists name, so that what was stored by the one is found by the other's owner. Nothing above the
// limits.
std::optional<std::string_view> merge_vary_lists(std::string_view one, std::string_view other, http::Arena& arena);

// What stands behind the primary key in a variant's key; empty for an empty list. Nothing when it were too long.
std::optional<std::string_view> secondary_key(std::string_view list, const http::Fields& request_fields);

// An answer came in the language by which `key` is told from others (a secondary key of `list`), or no language is.
// Else it is not what all who have that favourite would be given. `answered`: the answer's own vary list.
bool is_in_favourite_language(std::string_view key, std::string_view answered);

// Whether a vary list names the field, in lower case.
bool names_field(std::string_view list, std::string_view name);

}   // namespace proxyd::caching
