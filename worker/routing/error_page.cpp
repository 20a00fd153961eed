#include "worker/routing/error_page.h"

namespace proxyd::routing {
namespace {

std::string_view type_of(std::string_view path) {
  if (path.ends_with(".json")) return "application/json";
  if (path.ends_with(".txt")) return "text/plain; charset=utf-8";
  if (path.ends_with(".xml")) return "application/xml";
  return "text/html; charset=utf-8";
}

}   // namespace

ErrorPages::ErrorPages(const config::Host& host, const std::map<std::string, std::string>& files) {
  for (const auto& [status, path] : host.error_pages) {
    const auto file = files.find(path);
    if (file != files.end()) pages_[status] = {file->second, type_of(path)};
  }
}

}   // namespace proxyd::routing
