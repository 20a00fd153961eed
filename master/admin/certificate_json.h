#pragma once

#include <optional>
#include <string>

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

// A certificate as the API shows it, never its key: one of the document, or one that was uploaded and is in no
// document. Nothing when there is none.
store::Outcome<std::optional<Json>> certificate_json(const std::string& name, Context& context);
// All of them, by name.
store::Outcome<Json> certificates_json(Context& context);

std::string certificate_tag(const Json& certificate);

}   // namespace proxyd::admin
