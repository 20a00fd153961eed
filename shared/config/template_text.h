#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace proxyd::config {

// A part of a text with {variables}: a literal, or a variable by its kind and, for the named ones, its name.
struct TemplatePart {
  enum class Kind {
    kLiteral,
    kScheme,
    kHost,
    kPort,
    kPath,
    kQuery,
    kUri,
    kClientIp,
    kRequestId,
    kUpstream,
    kTarget,
    kHeader,
    kCookie,
    kQueryParameter,
    kTlsSni,
    kTlsClientSubject,
    kCapture
  };
  Kind kind = Kind::kLiteral;
  std::string text;   // the literal, the name, or the digit of a capture
  bool operator==(const TemplatePart&) const = default;
};

// Splits a text; `{{` and `}}` are braces. Fails with what is wrong, naming an unknown variable.
Result<std::vector<TemplatePart>> parse_template(std::string_view text);

}   // namespace proxyd::config
