#include "shared/config/decode.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "shared/config/build_model.h"
#include "shared/config/canonical.h"
#include "shared/config/node.h"
#include "shared/config/validate.h"

namespace proxyd::config {
namespace {

// Canonical documents have `addresses` where this one may say `address`.
std::string as_written(const std::string& pointer, const Node& root) {
  constexpr std::string_view kUnited = "/addresses/0";
  if (!pointer.ends_with(kUnited)) return pointer;
  const std::string listener = pointer.substr(0, pointer.size() - kUnited.size());
  return root.at(listener).find("address") ? listener + "/address" : pointer;
}

// A problem that was found by its pointer gets the line where that was written.
void locate(std::vector<Problem>& problems, const Node& root) {
  for (Problem& problem : problems) {
    problem.pointer = as_written(problem.pointer, root);
    const Node& node = root.at(problem.pointer);
    problem.line = node.line;
    problem.column = node.column;
  }
}

bool is_at_or_below(const std::string& pointer, const std::string& above) {
  return pointer.starts_with(above) && (pointer.size() == above.size() || pointer[above.size()] == '/');
}

// Whether a finding may only follow from what canonicalize left out: what refers to a section that could not be read,
// or what is said about a place that has a problem already.
bool is_doubtful(const Problem& finding, const std::vector<Problem>& known) {
  for (const Problem& problem : known) {
    const bool section =
        problem.pointer.rfind('/') == 0 && problem.code != "unsupported" && problem.pointer != "/version";
    if (section && finding.code == "reference") return true;
    if (is_at_or_below(problem.pointer, finding.pointer) || is_at_or_below(finding.pointer, problem.pointer))
      return true;
  }
  return false;
}

void add_findings(std::vector<Problem>& problems, std::vector<Problem> findings) {
  std::erase_if(findings, [&problems](const Problem& finding) { return is_doubtful(finding, problems); });
  std::move(findings.begin(), findings.end(), std::back_inserter(problems));
  std::sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column, a.pointer) < std::tie(b.line, b.column, b.pointer);
  });
}

Decoded decode_tree(Read read) {
  Decoded decoded;
  decoded.problems = std::move(read.problems);
  if (!decoded.problems.empty()) {
    decoded.syntax_ok = false;
    return decoded;
  }
  Canonical canonical = canonicalize(read.root);
  Document document = build_model(canonical.json);
  Findings findings = validate(canonical.json, document);
  locate(findings.problems, read.root);
  locate(findings.warnings, read.root);
  decoded.problems = std::move(canonical.problems);
  decoded.warnings = std::move(findings.warnings);
  std::erase_if(decoded.warnings,
                [&decoded](const Problem& warning) { return is_doubtful(warning, decoded.problems); });
  add_findings(decoded.problems, std::move(findings.problems));
  if (!decoded.valid()) return decoded;
  decoded.canonical = std::move(canonical.json);
  decoded.document = std::move(document);
  return decoded;
}

void clear_lines(std::vector<Problem>& problems) {
  for (Problem& problem : problems) problem.line = problem.column = 0;
}

}   // namespace

Format guess_format(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{' ? Format::kJson : Format::kYaml;
}

Decoded decode(std::string_view text, Format format) {
  return decode_tree(format == Format::kJson ? read_json(text) : read_yaml(text));
}

Decoded decode(const Json& document) {
  Decoded decoded = decode_tree(read_json(document.dump()));
  clear_lines(decoded.problems);
  clear_lines(decoded.warnings);
  return decoded;
}

}   // namespace proxyd::config
