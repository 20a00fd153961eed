#pragma once

#include <vector>

#include "master/resolver.h"
#include "shared/config/snapshot.h"

namespace proxyd::master {

// Members of the balancing, without rows yet, of what a name resolved to: those of the lowest priority (RFC 2782) and
// the others in reserve; the weights of records divide the target's weight so that the mean of each priority is that.
std::vector<config::TargetPlace> target_places(const Resolver::Addresses& addresses);

}   // namespace proxyd::master
