#pragma once

#include <string>

#include "cli/session.h"

namespace proxyd::cli {

// `changes[]` of the API for people: removals first, each with who added it and when, then the others in document
// order; objects as YAML under their pointer.
std::string render_changes(const Json& changes, bool colour);
// The removals alone, a line each.
std::string render_removals(const Json& changes);

// `changes[]` between two documents, made here.
Json changes_between(const Json& from, const Json& to);

// Whether applying such changes to `document` leaves it no listener, or takes more than half of its hosts or
// upstreams: the words for it, or nothing.
std::string loses_most(const Json& changes, const Json& document);

}   // namespace proxyd::cli
