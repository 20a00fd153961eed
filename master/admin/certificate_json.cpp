#include "master/admin/certificate_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "master/certificate_findings.h"
#include "shared/base/bytes.h"
#include "shared/base/digest.h"

namespace proxyd::admin {
namespace {

void add_facts(Json& json, const master::CheckedCertificate& certificate) {
  const master::CertificateFacts& facts = certificate.facts;
  json["names"] = facts.names;
  json["subject"] = facts.subject;
  json["issuer"] = facts.issuer;
  json["not_before"] = rfc3339(facts.not_before);
  json["not_after"] = rfc3339(facts.not_after);
  json["fingerprint_sha256"] = facts.fingerprint;
  json["key_type"] = facts.key_type;
  json["ocsp"] = !certificate.material.ocsp.empty() ? "stapled" : certificate.ocsp_fault.empty() ? "none" : "refused";
  if (!certificate.ocsp_fault.empty()) json["ocsp_fault"] = certificate.ocsp_fault;
}

// Which listeners may show it, and to clients of which hosts.
Json used_by(const std::string& name, const master::CertificateFacts& facts, const config::Document& document) {
  Json used{{"listeners", Json::array()}, {"hosts", Json::array()}};
  std::vector<const config::Listener*> showing;
  for (const auto& [listener_name, listener] : document.listeners) {
    const auto served = master::certificates_of(document, listener);
    if (std::find(served.begin(), served.end(), name) == served.end()) continue;
    showing.push_back(&listener);
    used["listeners"].push_back(listener_name);
  }
  for (const auto& [host_name, host] : document.hosts) {
    const bool covered = std::any_of(host.names.begin(), host.names.end(),
                                     [&facts](const auto& one) { return master::covers(facts, one); });
    bool shown = false;
    for (const config::Listener* listener : showing) shown = shown || master::is_served_by(host, *listener);
    if (covered && shown) used["hosts"].push_back(host_name);
  }
  return used;
}

Json of_document(const std::string& name, const master::ActiveConfiguration& active, Context& context) {
  const config::Certificate& certificate = active.document.certificates.at(name);
  Json json{{"name", name}, {"source", certificate.uploaded ? "uploaded" : "files"}, {"in_document", true}};
  if (!certificate.uploaded) {
    json["certificate_file"] = certificate.certificate_file;
    json["private_key_file"] = certificate.private_key_file;
  }
  if (const auto found = active.certificates.find(name); found != active.certificates.end()) {
    add_facts(json, *found->second);
    json["used_by"] = used_by(name, found->second->facts, active.document);
  }
  const auto faults = context.master.configuration().certificate_faults();
  const auto fault = faults.find(name);
  json["fault"] = fault == faults.end() ? Json(nullptr) : Json(fault->second);
  return json;
}

// One that serves nobody.
Json of_vault(const std::string& name, Context& context) {
  Json json{{"name", name}, {"source", "uploaded"}, {"in_document", false}};
  const auto checked = context.master.vault().read(name);
  if (checked) add_facts(json, *checked);
  json["used_by"] = {{"listeners", Json::array()}, {"hosts", Json::array()}};
  json["fault"] = checked ? Json(nullptr) : Json(checked.error().message);
  return json;
}

}   // namespace

store::Outcome<std::optional<Json>> certificate_json(const std::string& name, Context& context) {
  const auto active = context.master.configuration().active();
  if (active && active->document.certificates.contains(name)) return std::optional(of_document(name, *active, context));
  const auto names = context.master.vault().names();
  if (!names) return names.error();
  if (std::find(names->begin(), names->end(), name) == names->end()) return std::optional<Json>();
  return std::optional(of_vault(name, context));
}

store::Outcome<Json> certificates_json(Context& context) {
  auto names = context.master.vault().names();
  if (!names) return names.error();
  const auto active = context.master.configuration().active();
  if (active) {
    for (const auto& [name, certificate] : active->document.certificates) names->push_back(name);
  }
  std::sort(names->begin(), names->end());
  names->erase(std::unique(names->begin(), names->end()), names->end());
  Json all = Json::array();
  for (const std::string& name : *names)
    all.push_back(active && active->document.certificates.contains(name) ? of_document(name, *active, context)
                                                                         : of_vault(name, context));
  return all;
}

std::string certificate_tag(const Json& certificate) {
  Json lasting = certificate;
  lasting.erase("fault");
  const Sha256 digest = sha256(lasting.dump());
  return fmt::format("\"{}@{}\"", certificate.value("name", ""), to_hex(std::span(digest).first(8)));
}

}   // namespace proxyd::admin
