#pragma once

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

// The target that the path names, of an upstream whose membership is dynamic: put, and merged into. No revision; an
// epoch, unless nothing but its lease is put again. Whoever puts a target that is on its way out keeps it.
AdminAnswer put_member(const AdminRequest& request, Context& context, const Json& body);
AdminAnswer patch_member(const AdminRequest& request, Context& context, const Json& body);

}   // namespace proxyd::admin
