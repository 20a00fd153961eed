#pragma once

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

// A change of the document by the API: preconditions, decoding, the life of the change, and its answer (admin.md 2).
// `document` is the whole new document as text or JSON.
AdminAnswer change_document(const AdminRequest& request, Context& context, config::Decoded decoded, const std::string& source);
AdminAnswer change_document(const AdminRequest& request, Context& context, const Json& document);

// "r42" without quotes gives 42; nothing for "*" or another object's tag is a mismatch.
std::string document_tag(uint64_t revision);
AdminAnswer failure_answer(const master::Configuration::Failure& failure, Context& context);
Json change_json(const config::Change& change);
// The active document, or an empty one.
Json active_document(Context& context);

// RFC 7396.
void merge_patch(Json& target, const Json& patch);

}  // namespace proxyd::admin
