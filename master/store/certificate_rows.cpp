#include "master/store/certificate_rows.h"

#include <Poco/Data/Session.h>
#include <Poco/Data/Statement.h>

namespace proxyd::store {

using namespace Poco::Data::Keywords;
using Poco::Data::Session;
using Poco::Data::Statement;

std::vector<std::string> select_certificate_names(Session& session) {
  std::vector<std::string> names;
  session << "SELECT name FROM certificates ORDER BY name", into(names), now;
  return names;
}

std::optional<UploadedCertificate> select_certificate(Session& session, std::string name) {
  std::vector<std::string> chains, keys, created, authors;
  session << "SELECT chain, sealed_key, created, author FROM certificates WHERE name = ?", use(name), into(chains),
      into(keys), into(created), into(authors), now;
  if (chains.empty()) return std::nullopt;
  return UploadedCertificate{std::move(name), chains[0], keys[0], created[0], authors[0]};
}

void insert(Session& session, UploadedCertificate one) {
  session << "INSERT OR REPLACE INTO certificates VALUES (?, ?, ?, ?, ?)", use(one.name), use(one.chain),
      use(one.sealed_key), use(one.created), use(one.author), now;
}

bool erase_certificate(Session& session, std::string name) {
  Statement statement(session);
  return (statement << "DELETE FROM certificates WHERE name = ?", use(name)).execute() > 0;
}

}   // namespace proxyd::store
