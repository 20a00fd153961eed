#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/config/template_text.h"
#include "worker/http/arena.h"
#include "worker/routing/request_facts.h"

namespace proxyd::routing {

// A text with {variables}, compiled once a snapshot and rendered for requests. What a request does not have renders as
// nothing. Immutable; owned by its route.
class ValueTemplate {
 public:
  ValueTemplate() = default;
  // `text` was checked when the document was; what is no template is a literal.
  explicit ValueTemplate(std::string_view text);
  static ValueTemplate literal(std::string text);

  // The same for all requests.
  bool is_constant() const;
  // Not the same for all requests for a URL, as far as a client chooses: by its fields, its address, the query.
  bool reads_request() const;
  std::string_view render(const RequestFacts& facts, http::Arena& arena) const;

 private:
  std::vector<config::TemplatePart> parts_;
};

}   // namespace proxyd::routing
