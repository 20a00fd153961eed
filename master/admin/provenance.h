#pragma once

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

// `changes[]` against the active document, each removal with `added {by, at, revision}`: who put there what would go;
// where a whole section of named objects goes, `objects` says so of each. Walks the history back until everything is
// known, at most 500 revisions or 64 MiB of documents; what is older than that stays without. Any thread; reads the
// store.
Json with_provenance(Json changes, Context& context);

}   // namespace proxyd::admin
