#include <cstdint>
#include <cstdlib>

#include "shared/config/decode.h"

// Oracle: what is valid comes back from its own export, in both syntaxes, and differs from itself in nothing; what is
// not valid says why, within bounds.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace proxyd::config;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Decoded decoded = decode(text, guess_format(text));
  if (decoded.problems.size() > 2100) std::abort();
  for (const Problem& problem : decoded.problems) {
    if (problem.message.empty() || problem.code.empty()) std::abort();
  }
  if (!decoded.valid()) return 0;
  const Decoded from_yaml = decode(to_yaml(decoded.canonical), Format::kYaml);
  const Decoded from_json = decode(decoded.canonical.dump(), Format::kJson);
  for (const Decoded* again : {&from_yaml, &from_json}) {
    if (!again->valid() || again->canonical != decoded.canonical || again->document != decoded.document) std::abort();
    if (!diff(decoded.canonical, again->canonical).empty()) std::abort();
  }
  return 0;
}
