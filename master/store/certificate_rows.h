#pragma once

#include <optional>
#include <string>
#include <vector>

#include "master/store/store.h"

namespace Poco::Data {
class Session;
}

namespace proxyd::store {

// The rows of uploaded certificates. Called by the store under its mutex; POCO's exceptions go through.
std::vector<std::string> select_certificate_names(Poco::Data::Session& session);
std::optional<UploadedCertificate> select_certificate(Poco::Data::Session& session, std::string name);
void insert(Poco::Data::Session& session, UploadedCertificate certificate);
bool erase_certificate(Poco::Data::Session& session, std::string name);

}   // namespace proxyd::store
