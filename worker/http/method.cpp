#include "worker/http/method.h"

#include <array>
#include <utility>

namespace proxyd::http {

Method method_from(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Method>, 10> kMethods = {{{"GET", Method::kGet},
                                                                             {"POST", Method::kPost},
                                                                             {"HEAD", Method::kHead},
                                                                             {"PUT", Method::kPut},
                                                                             {"DELETE", Method::kDelete},
                                                                             {"OPTIONS", Method::kOptions},
                                                                             {"PATCH", Method::kPatch},
                                                                             {"CONNECT", Method::kConnect},
                                                                             {"TRACE", Method::kTrace},
                                                                             {"PURGE", Method::kPurge}}};
  for (const auto& [name, method] : kMethods) {
    if (name == text) return method;
  }
  return Method::kOther;
}

bool is_idempotent(Method method) {
  switch (method) {
    case Method::kGet:
    case Method::kHead:
    case Method::kPut:
    case Method::kDelete:
    case Method::kOptions:
    case Method::kTrace: return true;
    default: return false;
  }
}

}   // namespace proxyd::http
