#include "master/admin/change.h"
#include "master/admin/resources/dynamic_target.h"
#include "master/admin/resources/handlers.h"
#include "master/admin/resources/wanted_target.h"

namespace proxyd::admin {

AdminAnswer put_target(const AdminRequest& request, Context& context) {
  const WantedTarget wanted = find_target(request, context);
  if (!wanted.upstream) return wanted.refusal;
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  if (wanted.is_dynamic()) return put_member(request, context, body.json);
  return change_document(request, context, {place_of(request), [&](Json document) {
                                              Json* targets = targets_in(document, request);
                                              if (!targets) return not_there(request);
                                              (*targets)[request.parameters.at("t")] = body.json;
                                              return Proposal::of(document);
                                            }});
}

AdminAnswer patch_target(const AdminRequest& request, Context& context) {
  const WantedTarget wanted = find_target(request, context);
  if (!wanted.target) return wanted.refusal;
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  if (wanted.is_dynamic()) return patch_member(request, context, body.json);
  return change_document(request, context, {place_of(request), [&](Json document) {
                                              Json* targets = targets_in(document, request);
                                              if (!targets || !targets->contains(request.parameters.at("t")))
                                                return not_there(request);
                                              (*targets)[request.parameters.at("t")].merge_patch(body.json);
                                              return Proposal::of(document);
                                            }});
}

}   // namespace proxyd::admin
