#pragma once

#include <vector>

#include "master/attention.h"
#include "master/configuration.h"

namespace proxyd::master {

// Adds upstreams that need a person: those none of whose targets may get requests, and those with targets that are
// down.
void add_upstreams(const ActiveConfiguration& active, const status::StatusRegion& status, uint64_t now_ms,
                   std::vector<Attention>& all);

}   // namespace proxyd::master
