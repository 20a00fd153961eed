#pragma once

#include <functional>

#include "master/admin/context.h"
#include "master/admin/exchange.h"
#include "master/object_versions.h"

namespace proxyd::admin {

// A whole new document, or why there is none.
struct Proposal {
  config::Decoded decoded;
  std::string source;   // as it was written
  std::optional<AdminAnswer> refusal;

  static Proposal refused(AdminAnswer answer) { return {{}, {}, std::move(answer)}; }
  static Proposal of(const Json& document) { return {config::decode(document), document.dump(2), std::nullopt}; }
};

// A change of the document by the API: preconditions, decoding, the life of the change, and its answer.
// `object` is what ETags are about ("upstreams/app"; empty: the document). `propose` makes the new document of the
// active one; it is asked again when somebody else was faster, so that no change is ever lost under another.
struct DocumentChange {
  std::string object;
  std::function<Proposal(const Json& current)> propose;
  std::string origin = "api";
  std::string message;
};
AdminAnswer change_document(const AdminRequest& request, Context& context, const DocumentChange& change);

// "\"r42\"", "\"app@r42\""; of the document in another form "\"r42-yaml\"", which is as good in If-Match.
std::string document_tag(uint64_t revision, const std::string& form = {});
std::string object_tag(const master::ActiveConfiguration& active, const std::string& object);

// Whether one of the tags in "If-Match: \"a\", \"b\"" is this one (RFC 9110 13.1.1), strongly compared.
bool lists_tag(const std::string& tags, const std::string& tag);

AdminAnswer failure_answer(const master::Configuration::Failure& failure);
AdminAnswer store_answer(const store::Failure& failure);
Json change_json(const config::Change& change);
// The active document, or an empty one.
Json active_document(Context& context);
// What is decoded is not valid: 400 or 422 with every error.
AdminAnswer undecodable(const config::Decoded& decoded);

}   // namespace proxyd::admin
