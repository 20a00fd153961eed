#pragma once

#include "shared/ipc/message.h"

namespace proxyd::master {

// Whether what a worker said has the form of its type, so that nothing it says can surprise the master: a worker may
// have gone wrong, and whoever attacks it may speak for it.
bool is_well_formed(const ipc::Message& message);

}   // namespace proxyd::master
