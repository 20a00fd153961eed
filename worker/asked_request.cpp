#include "worker/asked_request.h"

#include <fmt/format.h>

namespace proxyd::worker {

using nlohmann::json;

std::string text_in(const json& question, const char* key, const char* initial) {
  const auto found = question.find(key);
  return found != question.end() && found->is_string() ? found->get<std::string>() : initial;
}

AskedRequest::AskedRequest(const proxy::Configuration& configuration, const json& question)
    : method_(text_in(question, "method", "GET")),
      url_(text_in(question, "url", "")),
      client_text_(text_in(question, "client", "127.0.0.1")),
      listener_(text_in(question, "listener", "")) {
  if (listener_.empty() && !configuration.document.listeners.empty())
    listener_ = configuration.document.listeners.begin()->first;
  fault_ = read(question);
}

std::string AskedRequest::read(const json& question) {
  head_.method_text = method_;
  head_.method = http::method_from(method_);
  const auto target = http::parse_target(url_, head_.method, arena_);
  if (!target) return fmt::format("the url '{}' would be refused: {}", url_, http::to_string(target.error()));
  head_.target = *target;
  const auto headers = question.find("headers");
  if (headers != question.end() && headers->is_object()) {
    for (const auto& [name, value] : headers->items()) {
      if (value.is_string()) head_.fields.add(arena_.copy(name), arena_.copy(value.get<std::string>()));
    }
  }
  const std::string_view host_text =
      target->form == http::TargetForm::kAbsolute ? target->authority : head_.fields.value(http::FieldName::kHost);
  const auto authority = http::parse_authority(host_text, arena_);
  if (!authority)
    return fmt::format("the host '{}' would be refused: {}", host_text, http::to_string(authority.error()));
  head_.authority = *authority;
  if (!head_.fields.has(http::FieldName::kHost) && !host_text.empty())
    head_.fields.add(http::FieldName::kHost, host_text);   // as whoever asks for that URL sends it
  const auto address = config::parse_mapped_address(client_text_);
  if (!address) return fmt::format("'{}' is no address of a client", client_text_);
  const http::Scheme scheme = target->scheme == "https" ? http::Scheme::kHttps : http::Scheme::kHttp;
  facts_.head = &head_;
  facts_.listener = listener_;
  facts_.peer_text = client_text_;
  routing::take_client(facts_, {.address = *address, .text = client_text_, .scheme = scheme}, arena_);
  return {};
}

}   // namespace proxyd::worker
