#pragma once

#include "master/events.h"
#include "master/late_records.h"

namespace proxyd::master {

// Notes a purge that was carried out, for people and after the fact: in the store, later, and as an event, now. Nobody
// waits for it. Any thread.
void record_purge(const store::Purge& purge, LateRecords& records, Events& events);
// The same of what a worker says of a PURGE of the data plane: its author is the client, its reason the method.
void record_purge(const nlohmann::json& told, LateRecords& records, Events& events);

}   // namespace proxyd::master
