#include "master/admin/page.h"
#include "master/admin/resources/handlers.h"
#include "master/admin/resources/site_json.h"

namespace proxyd::admin {

AdminAnswer list_hosts(const AdminRequest& request, Context& context) {
  const auto active = context.master.configuration().active();
  Json items = Json::array();
  if (active) {
    for (const auto& [name, host] : active->document.hosts) items.push_back(host_json(*active, host));
  }
  return page_answer(request, items, "name");
}

AdminAnswer get_host(const AdminRequest& request, Context& context) {
  const WantedHost wanted = find_host(request, context);
  if (!wanted.host) return wanted.refusal;
  AdminAnswer answer = json_answer(host_json(*wanted.active, *wanted.host));
  answer.fields["Proxyd-Revision"] = std::to_string(wanted.active->revision.number);
  return answer;
}

}   // namespace proxyd::admin
