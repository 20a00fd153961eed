#pragma once

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

// Everything between a request's bytes and its handler: who asks, whether they may, whether path, method, parameters,
// type and size are right. Without POCO, so that a test can call it.
AdminAnswer answer(AdminRequest& request, Context& context);

}  // namespace proxyd::admin
