#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "shared/config/decode.h"

namespace proxyd::master {

// The revision in which each object of the document last changed, by its place: "upstreams/app",
// "upstreams/app/targets/one", "hosts/www/routes/static", "defaults". ETags are made of it, so that a change of one
// object says nothing about the others.
using ObjectVersions = std::map<std::string, uint64_t>;

// Those of `after`, which is `revision`, when `before` had `known`. Canonical documents.
ObjectVersions object_versions(const ObjectVersions& known, const config::Json& before, const config::Json& after,
                               uint64_t revision);

}   // namespace proxyd::master
