#pragma once

#include <string>
#include <vector>

#include "master/store/store.h"

namespace Poco::Data {
class Session;
}

namespace proxyd::store {

// The rows of dynamic targets. Called by the store under its mutex; POCO's exceptions go through.
std::vector<DynamicTarget> select_members(Poco::Data::Session& session);
// In place of the one of its name.
void insert(Poco::Data::Session& session, DynamicTarget target);
void erase_member(Poco::Data::Session& session, std::string upstream, std::string id);
// All of an upstream.
void erase_members(Poco::Data::Session& session, std::string upstream);

}   // namespace proxyd::store
