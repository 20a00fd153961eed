#include "worker/http/forwarded.h"

#include <algorithm>

#include "shared/base/bytes.h"
#include "worker/http/list.h"

namespace proxyd::http {

std::string_view forwarded_parameter(std::string_view element, std::string_view name) {
  while (!element.empty()) {
    const size_t end = std::min(element.find(';'), element.size());
    const std::string_view pair = trim(element.substr(0, end));
    element.remove_prefix(std::min(end + 1, element.size()));
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(pair.substr(0, equals), name)) continue;
    std::string_view value = pair.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

}   // namespace proxyd::http
