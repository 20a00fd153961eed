#include "worker/http/method.h"

#include <array>
#include <utility>

namespace proxyd::http {

Method method_from(std::string_view text) {
  if (text == "GET") return Method::kGet;   // most requests
  constexpr std::array<std::pair<std::string_view, Method>, 9> kMethods = {{{"POST", Method::kPost},
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

}   // namespace proxyd::http
