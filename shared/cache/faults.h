#pragma once

#include <string>
#include <vector>

#include "shared/cache/region_view.h"

namespace proxyd::cache {

// Compares everything with everything while nobody uses the region: owners with what objects list, maps, counts and
// lists with owners, index, limbo and free rows with the object table, claims and pins with nothing. What does not
// agree is said, one sentence each. For tests; allocates; takes as long as the region is large.
std::vector<std::string> faults_of(const RegionView& view);

}   // namespace proxyd::cache
