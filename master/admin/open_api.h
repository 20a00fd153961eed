#pragma once

#include "master/admin/exchange.h"

namespace proxyd::admin {

// OpenAPI 3.1, out of the route table.
Json open_api();

}   // namespace proxyd::admin
