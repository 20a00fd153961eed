#pragma once

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include <memory>

#include "master/admin/context.h"
#include "master/admin/exchange.h"
#include "master/admin/sockets.h"

namespace proxyd::admin {

// Turns POCO's requests of one door into ours and our answers into POCO's. Owned by its server; what it makes lives for
// one request, in the connection's thread.
class HandlerFactory : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  HandlerFactory(Context& context, Door door, std::shared_ptr<Occupancy> occupancy)
      : context_(context), door_(door), occupancy_(std::move(occupancy)) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest& request) override;

 private:
  Context& context_;
  Door door_;
  std::shared_ptr<Occupancy> occupancy_;
};

}   // namespace proxyd::admin
