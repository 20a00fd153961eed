#include <fmt/format.h>

#include <set>

#include "master/admin/body_fields.h"
#include "master/admin/certificate_json.h"
#include "master/admin/change.h"
#include "master/admin/page.h"
#include "master/admin/resources/handlers.h"
#include "master/certificate_findings.h"
#include "shared/base/digest.h"

namespace proxyd::admin {
namespace {

constexpr size_t kMostOctets = 256 * 1024;

using Active = std::shared_ptr<const master::ActiveConfiguration>;

AdminAnswer no_certificate(const std::string& name) {
  return problem("not-found", fmt::format("there is no certificate '{}'", name));
}

// What If-Match and If-None-Match of the request ask for. The tags are those of this resource, which changes without a
// revision, too.
std::optional<AdminAnswer> check_tags(const AdminRequest& request, const std::optional<Json>& there, Context& context) {
  const std::string wanted = request.field("if-match");
  const std::string other = request.field("if-none-match");
  if (other == "*" && there) return problem("already-exists", "there is a certificate of that name already");
  if (!other.empty() && other != "*")
    return problem("malformed", "If-None-Match is * or absent where something is changed");
  if (wanted.empty()) {
    if (context.master.bootstrap().require_if_match && there && other.empty())
      return problem("precondition-required", "send If-Match with the ETag that was read (admin.require_if_match)");
    return std::nullopt;
  }
  const std::string now = there ? certificate_tag(*there) : "";
  if (there && (wanted == "*" || wanted.find(now) != std::string::npos)) return std::nullopt;
  AdminAnswer answer = problem(
      "changed-meanwhile",
      there ? "the certificate was changed by someone else since it was read" : "the certificate is not there any more",
      {{"current", there ? Json(now) : Json(nullptr)}});
  if (there) answer.fields["ETag"] = now;
  return answer;
}

// For the change of the document that follows: what is asked of this resource is asked already.
AdminRequest without_tags(AdminRequest request, bool in_document) {
  request.fields.erase("if-match");
  request.fields.erase("if-none-match");
  if (in_document) request.fields["if-match"] = "*";
  return request;
}

AdminAnswer with_certificate(AdminAnswer answer, const std::string& name, Context& context) {
  Json json = Json::parse(answer.body);
  const auto now = certificate_json(name, context);
  if (now && *now) {
    json["certificate"] = **now;
    answer.fields["ETag"] = certificate_tag(**now);
  }
  answer.body = json.dump();
  return answer;
}

// What a write answers that makes no revision.
AdminAnswer epoch_answer(size_t acknowledged, const AdminRequest& request, Context& context) {
  const Active active = context.master.configuration().active();
  const uint64_t revision = active ? active->revision.number : 0;
  Json json{{"revision", revision},         {"parent", revision},
            {"changes", Json::array()},     {"workers", context.master.pool().serving()},
            {"acknowledged", acknowledged}, {"warnings", Json::array()}};
  if (request.dry_run()) json["dry_run"] = true;
  AdminAnswer answer = json_answer(json);
  answer.fields["Proxyd-Revision"] = std::to_string(revision);
  return answer;
}

struct Upload {
  std::optional<master::CheckedCertificate> checked;
  std::optional<AdminAnswer> refusal;
};

Upload read_upload(const AdminRequest& request) {
  const Body body = read_json_body(request);
  if (body.refusal) return {{}, body.refusal};
  BodyFields fields(body.json);
  const std::string chain = fields.text("certificate", kMostOctets).value_or("");
  const std::string key = fields.text("private_key", kMostOctets).value_or("");
  if (chain.empty()) fields.fault("certificate", "missing", "certificate is PEM: the leaf, then what signed it");
  if (key.empty()) fields.fault("private_key", "missing", "private_key is PEM, without a passphrase");
  if (auto refused = fields.refusal()) return {{}, refused};
  auto checked = master::check_certificate(chain, key, "");
  if (checked) return {std::move(*checked), {}};
  const auto& fault = checked.error();
  return {{},
          invalid(fault.of_key ? "/private_key" : "/certificate", "certificate",
                  fmt::format("{} {}", fault.of_key ? "private_key" : "certificate", fault.reason))};
}

DocumentChange document_with(const std::string& name) {
  return {"certificates/" + name, [name](Json document) {
            document["certificates"][name] = Json{{"uploaded", true}};
            return Proposal::of(document);
          }};
}

// The row first, then the line in the document that makes it serve; no row is left behind where that is refused.
AdminAnswer add_to_document(const AdminRequest& request, const std::string& name,
                            const master::CheckedCertificate& checked, Context& context) {
  master::CertificateVault& vault = context.master.vault();
  const auto before = vault.names();
  if (!before) return store_answer(before.error());
  const bool had_row = std::find(before->begin(), before->end(), name) != before->end();
  if (request.dry_run()) return epoch_answer(0, request, context);
  const auto put = vault.put(name, checked.material, request.identity.name);
  if (!put) return store_answer(put.error());
  if (context.master.bootstrap().config_source == "file") {
    AdminAnswer kept = epoch_answer(0, request, context);
    Json json = Json::parse(kept.body);
    json["warnings"].push_back(
        {{"pointer", "/certificates"},
         {"code", "not-in-document"},
         {"message", fmt::format("it is kept, and serves when {} has `certificates: {{ {}: {{ uploaded: true }} }}`",
                                 context.master.bootstrap().config_file, name)}});
    kept.body = json.dump();
    return with_certificate(std::move(kept), name, context);
  }
  AdminAnswer answer = change_document(without_tags(request, false), context, document_with(name));
  if (!answer.ok()) {
    if (!had_row) (void)vault.remove(name);
    return answer;
  }
  // Where another call was faster with the line, the document was not read again for this row.
  const auto live = context.master.configuration().reload_certificate(name, false);
  if (!live) return failure_answer(live.error());
  return with_certificate(std::move(answer), name, context);
}

}   // namespace

AdminAnswer list_certificates(const AdminRequest& request, Context& context) {
  const auto all = certificates_json(context);
  if (!all) return store_answer(all.error());
  return page_answer(request, *all, "name");
}

AdminAnswer get_certificate(const AdminRequest& request, Context& context) {
  const std::string& name = request.parameters.at("c");
  const auto json = certificate_json(name, context);
  if (!json) return store_answer(json.error());
  if (!*json) return no_certificate(name);
  AdminAnswer answer = json_answer(**json);
  answer.fields["ETag"] = certificate_tag(**json);
  return answer;
}

// { "certificate": PEM, "private_key": PEM }. It serves in all workers when this is answered.
AdminAnswer put_certificate(const AdminRequest& request, Context& context) {
  const std::string& name = request.parameters.at("c");
  if (!is_name(name)) return invalid("", "name", "a certificate's name is [A-Za-z0-9._-]{1,64}");
  Upload upload = read_upload(request);
  if (upload.refusal) return *upload.refusal;
  const auto there = certificate_json(name, context);
  if (!there) return store_answer(there.error());
  if (auto refused = check_tags(request, *there, context)) return *refused;
  const Active active = context.master.configuration().active();
  const auto known =
      active ? active->document.certificates.find(name) : std::map<std::string, config::Certificate>::const_iterator{};
  if (!active || known == active->document.certificates.end())
    return add_to_document(request, name, *upload.checked, context);
  if (!known->second.uploaded)
    return problem("already-exists",
                   fmt::format("certificate '{}' is read from {}: replace that file; it is noticed by itself", name,
                               known->second.certificate_file));
  if (request.dry_run()) return epoch_answer(0, request, context);
  const auto put =
      context.master.configuration().put_certificate(name, std::move(*upload.checked), request.identity.name);
  if (!put) return failure_answer(put.error());
  return with_certificate(epoch_answer(*put, request, context), name, context);
}

AdminAnswer delete_certificate(const AdminRequest& request, Context& context) {
  const std::string& name = request.parameters.at("c");
  const auto there = certificate_json(name, context);
  if (!there) return store_answer(there.error());
  if (!*there) return request.flag("missing_ok") ? json_answer({{"changes", Json::array()}}) : no_certificate(name);
  if (auto refused = check_tags(request, *there, context)) return *refused;
  const Active active = context.master.configuration().active();
  const bool in_document = active && active->document.certificates.contains(name);
  AdminAnswer answer = epoch_answer(0, request, context);
  if (in_document) {
    const auto users = master::certificate_users(active->document, active->certificates, name);
    if (!users.empty())
      return problem("in-use", fmt::format("certificate '{}' is used by {}", name, fmt::join(users, ", ")),
                     {{"users", users}});
    answer = change_document(without_tags(request, true), context, {"certificates/" + name, [&name](Json document) {
                                                                      if (document.contains("certificates"))
                                                                        document["certificates"].erase(name);
                                                                      return Proposal::of(document);
                                                                    }});
  }
  if (!answer.ok() || request.dry_run()) return answer;
  const auto removed = context.master.vault().remove(name);
  if (!removed) return store_answer(removed.error());
  return answer;
}

// Its files, or its row, are read again.
AdminAnswer reload_certificate(const AdminRequest& request, Context& context) {
  const std::string& name = request.parameters.at("c");
  const Active active = context.master.configuration().active();
  if (!active || !active->document.certificates.contains(name)) return no_certificate(name);
  const auto reloaded = context.master.configuration().reload_certificate(name, request.dry_run());
  if (!reloaded) return failure_answer(reloaded.error());
  AdminAnswer answer = with_certificate(epoch_answer(reloaded->acknowledged, request, context), name, context);
  Json json = Json::parse(answer.body);
  json["changed"] = reloaded->changed;
  answer.body = json.dump();
  return answer;
}

}   // namespace proxyd::admin
