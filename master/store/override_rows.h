#pragma once

#include <string>
#include <vector>

#include "master/store/store.h"

namespace Poco::Data {
class Session;
}

namespace proxyd::store {

// The rows of overrides. Called by the store under its mutex; POCO's exceptions go through.
std::vector<Override> select_overrides(Poco::Data::Session& session);
// In place of the one about the same.
void insert(Poco::Data::Session& session, Override value);
bool erase_override(Poco::Data::Session& session, std::string subject);

}   // namespace proxyd::store
