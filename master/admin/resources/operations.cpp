#include <fmt/format.h>

#include <algorithm>

#include "master/admin/page.h"
#include "master/admin/resources/handlers.h"
#include "shared/base/bytes.h"

namespace proxyd::admin {
namespace {

constexpr milliseconds kLongestWait{600'000};

std::optional<uint64_t> number_in(const std::string& text) {
  const bool digits = !text.empty() && text.size() <= 15 && std::all_of(text.begin(), text.end(), is_digit);
  return digits ? std::optional<uint64_t>(std::stoull(text)) : std::nullopt;
}

AdminAnswer no_operation(const AdminRequest& request) {
  return problem("not-found",
                 fmt::format("there is no operation '{}'; the last 256 are remembered, until the next start",
                             request.parameters.at("id")));
}

}   // namespace

AdminAnswer list_operations(const AdminRequest& request, Context& context) {
  Json items = context.operations.list();
  for (Json& item : items) item["number"] = std::stoull(item["id"].get<std::string>());
  return page_answer(request, items, "number");
}

AdminAnswer get_operation(const AdminRequest& request, Context& context) {
  const auto number = number_in(request.parameters.at("id"));
  if (!number || !context.operations.find(*number)) return no_operation(request);
  if (request.query.contains("wait"))
    (void)context.operations.wait(*number, request.duration("wait", milliseconds(0), kLongestWait));
  const auto json = context.operations.find(*number);
  return json ? json_answer(*json) : no_operation(request);
}

AdminAnswer cancel_operation(const AdminRequest& request, Context& context) {
  const auto number = number_in(request.parameters.at("id"));
  const auto before = number ? context.operations.find(*number) : std::nullopt;
  if (!before) return no_operation(request);
  const bool runs = (*before)["state"] == "running";
  if (!runs || (*before)["kind"] == "shutdown" || (*before)["kind"] == "restart")
    return invalid("", "state",
                   fmt::format("this {} cannot be cancelled: it is {}", (*before)["kind"].get<std::string>(),
                               (*before)["state"].get<std::string>()));
  const bool removes = (*before)["kind"] == "remove";
  if (removes && !request.identity.may("upstreams:write"))
    return problem("forbidden", "this needs the scope 'upstreams:write'");
  if (request.dry_run()) return json_answer(*before);
  (void)context.operations.cancel(*number);
  (void)context.operations.wait(*number, milliseconds(10'000));
  const auto after = context.operations.find(*number);
  return json_answer(after ? *after : *before);
}

}   // namespace proxyd::admin
