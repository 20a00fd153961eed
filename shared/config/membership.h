#pragma once

#include <map>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "shared/config/model.h"

namespace proxyd::config {

// Targets that came by the API, of upstreams whose membership is dynamic: upstream → id → target. They are not in the
// document: the master and each worker put them into their copy of its model, so that all else knows targets alone.
using Members = std::map<std::string, std::map<std::string, Target>>;

// Gives the upstreams of `document` whose membership is dynamic these targets, and no others. Those of upstreams that
// it does not name, or not so, are left out.
void put_members(Document& document, const Members& members);

// How they travel in a snapshot, lossless. Throws nlohmann's exceptions for what is no members.
nlohmann::json members_to_json(const Members& members);
Members members_from_json(const nlohmann::json& json);

// What a target is called that was given no id: its address, with "-" for what can be in no name; at most 64 octets.
std::string name_for_address(std::string address);

}   // namespace proxyd::config
