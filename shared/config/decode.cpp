#include "shared/config/decode.h"

#include "shared/config/build_model.h"
#include "shared/config/canonical.h"
#include "shared/config/node.h"
#include "shared/config/validate.h"

namespace proxyd::config {
namespace {

// A problem that was found by its pointer gets the line where that was written.
void locate(std::vector<Problem>& problems, const Node& root) {
  for (Problem& problem : problems) {
    if (problem.line != 0) continue;
    const Node& node = root.at(problem.pointer);
    problem.line = node.line;
    problem.column = node.column;
  }
}

Decoded decode_tree(Read read) {
  Decoded decoded;
  decoded.problems = std::move(read.problems);
  if (!decoded.problems.empty()) {
    decoded.syntax_ok = false;
    return decoded;
  }
  Canonical canonical = canonicalize(read.root);
  decoded.problems = std::move(canonical.problems);
  if (!decoded.problems.empty()) return decoded;
  Document document = build_model(canonical.json);
  Findings findings = validate(canonical.json, document);
  locate(findings.problems, read.root);
  locate(findings.warnings, read.root);
  decoded.problems = std::move(findings.problems);
  decoded.warnings = std::move(findings.warnings);
  if (!decoded.valid()) return decoded;
  decoded.canonical = std::move(canonical.json);
  decoded.document = std::move(document);
  return decoded;
}

void clear_lines(std::vector<Problem>& problems) {
  for (Problem& problem : problems) problem.line = problem.column = 0;
}

}  // namespace

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

}  // namespace proxyd::config
