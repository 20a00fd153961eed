#pragma once

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

// Everything between a request and its handler, in three steps, so that nobody unknown makes the server read a body.
// Without POCO, so that a test can call it.

// Who asks, what for, and whether they may: all that the head tells. Fills in identity, route, query and parameters.
std::optional<AdminAnswer> admit(AdminRequest& request, Context& context);
// The body's form, then the handler. Never throws.
AdminAnswer perform(const AdminRequest& request, Context& context);
// Into the audit what changed something or was refused; into the log what failed.
void record(const AdminRequest& request, const AdminAnswer& made, Context& context);

}   // namespace proxyd::admin
