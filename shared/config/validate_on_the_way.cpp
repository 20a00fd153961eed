#include "shared/config/validate_on_the_way.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/config/head_limits.h"
#include "shared/config/node.h"
#include "shared/config/template_text.h"
#include "shared/config/validate_auth.h"

namespace proxyd::config {
namespace {

void check_captures(const std::string& text, int groups, const std::string& pointer, FindingsList& findings) {
  const auto parts = parse_template(text);
  if (!parts) return;
  for (const TemplatePart& part : *parts) {
    if (part.kind != TemplatePart::Kind::kCapture || part.text[0] - '0' <= groups) continue;
    const std::string why = groups == 0 ? "there is none here" : fmt::format("that has {}", groups);
    return findings.problem(pointer, "variable",
                            fmt::format("{{{}}} is a group of the route's path_regex, but {}", part.text, why));
  }
}

void check_templates(const Json& level, int groups, const std::string& pointer, FindingsList& findings) {
  for (const char* message : {"request", "response"}) {
    for (const char* edit : {"set", "add", "default"}) {
      for (const auto& [name, value] : part(part(part(level, "headers"), message), edit).items()) {
        const std::string at = fmt::format("{}/headers/{}/{}/{}", pointer, message, edit, pointer_step(name));
        if (value.is_string()) check_captures(value.get<std::string>(), groups, at, findings);
      }
    }
  }
  if (const auto path = maybe<std::string>(part(level, "rewrite"), "path")) {
    check_captures(*path, groups, pointer + "/rewrite/path", findings);
  }
  if (const auto to = maybe<std::string>(part(level, "redirect"), "to")) {
    check_captures(*to, groups, pointer + "/redirect/to", findings);
  }
}

void check_rewrite(const Json& level, const std::string& pointer, FindingsList& findings) {
  const Json& rewrite = part(level, "rewrite");
  const bool prefixes = member(rewrite, "strip_prefix") || member(rewrite, "add_prefix");
  if (!member(rewrite, "path") || !prefixes) return;
  findings.problem(pointer + "/rewrite", "exclusive",
                   "'path' says the whole path: it goes with neither strip_prefix nor add_prefix");
}

// Every head is received within the limits of the defaults, since its host is not known yet.
void warn_of_wide_limits(const Json& level, const Limits& defaults, const std::string& pointer,
                         FindingsList& findings) {
  const Json& limits = part(level, "limits");
  const auto check = [&](const char* key, const MaybeSize& received, uint64_t most, const char* what) {
    if (!member(limits, key) || dropped(limits, key)) return;
    const uint64_t wanted = size_or(limits, key, received).value_or(most);
    const std::string at = fmt::format("{}/limits/{}", pointer, key);
    if (wanted > most) {
      findings.warning(at, "no-effect",
                       fmt::format("no head has more than {}, so a larger {} changes nothing", what, key));
    } else if (wanted > received.value_or(most)) {
      findings.warning(at, "no-effect",
                       fmt::format("every head is received within the {0} of /defaults/limits, since its host is not "
                                   "known yet; a larger one here changes nothing: raise it there",
                                   key));
    }
  };
  check("request_line", defaults.request_line, kLargestHead, "128KiB with its first line");
  check("request_headers", defaults.request_headers, kLargestHead, "128KiB with its first line");
  check("header_count", defaults.header_count, kMostFields, "1000 fields");
}

void check_cache(const Document& document, const Json& level, const std::string& pointer, FindingsList& findings) {
  const auto choice = maybe<std::string>(level, "cache");
  if (!choice || *choice == "off") return;
  findings.refer(document.cache_policies, *choice, pointer + "/cache", "cache policy");
}

void check_limits(const Document& document, const Json& level, const std::string& pointer, FindingsList& findings) {
  if (const auto access = maybe<std::string>(level, "access"))
    findings.refer(document.access_lists, *access, pointer + "/access", "access list");
  const auto rates = value_or(level, "rate_limit", std::vector<std::string>());
  for (size_t i = 0; i < rates.size(); ++i)
    findings.refer(document.rate_limits, rates[i], fmt::format("{}/rate_limit/{}", pointer, i), "rate limit");
}

}   // namespace

void validate_on_the_way(const Document& document, const Json& level, int groups, const std::string& pointer,
                         FindingsList& findings) {
  check_rewrite(level, pointer, findings);
  check_templates(level, groups, pointer, findings);
  check_cache(document, level, pointer, findings);
  check_limits(document, level, pointer, findings);
  validate_auth(level, pointer, findings);
  warn_of_wide_limits(level, document.limits, pointer, findings);
}

}   // namespace proxyd::config
