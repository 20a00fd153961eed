#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "shared/config/cidr.h"
#include "shared/config/model.h"
#include "worker/http/fields.h"

namespace proxyd::routing {

// Who may purge by the PURGE method: the key `purge` of a host, compiled once a snapshot. Immutable; owned by the
// configuration. Nothing suspends or fails.
class PurgeAccess {
 public:
  // `files`: the contents of files that the document names; without that of the token nobody may.
  PurgeAccess(const config::Purge& settings, const std::map<std::string, std::string>& files);

  // `peer`: of the connection, never what a forwarding field says. The token is that of `Authorization: Bearer` or
  // `X-Purge-Token`, compared in a time that tells no more than its length.
  bool admits(const std::array<uint8_t, 16>& peer, const http::Fields& fields) const;

 private:
  bool has_token(const http::Fields& fields) const;

  config::CidrList allow_;
  std::optional<std::string> token_;
};

}   // namespace proxyd::routing
