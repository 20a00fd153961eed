#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/config/cidr.h"
#include "shared/config/model.h"
#include "worker/routing/request_facts.h"

namespace proxyd::routing {

// An expression as documents write it, for octets: a request may hold any, and one that is no UTF-8 must not slip past
// a dot.
std::unique_ptr<RE2> compile_expression(const std::string& text);

// A host name as documents write it: exact, "*.suffix" at any depth (never the bare suffix), or "*".
bool host_matches(std::string_view pattern, std::string_view host);

// Everything of a route's `match` but its path, compiled once a snapshot. Immutable; owned by its route.
class Conditions {
 public:
  explicit Conditions(const config::Match& match);

  bool empty() const { return none_; }
  // The first condition that does not hold, in words for `explain`; empty when all hold. Texts are constant.
  std::string_view first_failed(const RequestFacts& facts) const;

 private:
  struct Named {
    config::Condition condition;
    std::unique_ptr<RE2> expression;
  };
  static std::vector<Named> compile(const std::vector<config::Condition>& conditions);
  static bool holds(const Named& named, std::string_view value, bool present);
  bool headers_hold(const RequestFacts& facts) const;

  std::vector<std::string> methods_;
  std::optional<std::string> host_;
  std::optional<http::Scheme> scheme_;
  std::vector<Named> headers_;
  std::vector<Named> query_;
  std::vector<Named> cookies_;
  config::CidrList clients_;
  bool none_ = true;
};

}   // namespace proxyd::routing
