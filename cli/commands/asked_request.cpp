#include "cli/commands/asked_request.h"

#include <fmt/format.h>

#include <algorithm>

namespace proxyd::cli {

void AskedRequest::add_options(CLI::App& command) {
  command.add_option("url", url, "http://HOST/PATH")->required()->type_name("URL");
  command.add_option("-X,--method", method, "Its method")->type_name("METHOD")->capture_default_str();
  command.add_option("-H,--header", headers, "A field of it, as 'Name: value'; may be given again")
      ->allow_extra_args(false)
      ->type_name("FIELD");
}

std::optional<Json> AskedRequest::json() const {
  Json fields = Json::object();
  for (const std::string& header : headers) {
    const size_t colon = header.find(':');
    if (colon == std::string::npos || colon == 0) {
      print_error(fmt::format("-H '{}' is no field", header), "write it as -H 'Name: value'");
      return std::nullopt;
    }
    fields[header.substr(0, colon)] = header.substr(std::min(header.find_first_not_of(' ', colon + 1), header.size()));
  }
  return Json{{"url", url}, {"method", method}, {"headers", std::move(fields)}};
}

}   // namespace proxyd::cli
