#pragma once

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>

#include <memory>
#include <optional>
#include <string>

#include "cli/rest/client.h"

namespace proxyd::cli {

// A session with the server at `address`, each of whose reads is given `patience_ms`. A unix socket is connected here;
// a TCP one when the first request is sent. Fails saying what stands at the address, or that nothing does.
Result<std::unique_ptr<Poco::Net::HTTPClientSession>, CallFailure> connect(const std::string& address, int patience_ms);

// Of an exception of a session: that nobody was reached, when that is what it means.
std::optional<CallFailure> failed_connection(const std::string& address, const Poco::Exception& error);

}   // namespace proxyd::cli
