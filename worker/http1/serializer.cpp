#include "worker/http1/serializer.h"

#include <charconv>

#include "worker/http/status.h"

namespace proxyd::http1 {

using Kind = http::ContentLength::Kind;

// Lines that were received one behind the other, as most are that we only pass on, leave in one copy.
void Serializer::field_lines(const http::Fields& fields) {
  const http::Field* const last = fields.end();
  for (const http::Field* field = fields.begin(); field != last;) {
    if (!field->as_received) {
      append(field->name, ": ", field->value, "\r\n");
      ++field;
      continue;
    }
    const char* const begin = field->name.data();
    const char* end = begin;
    for (; field != last && field->as_received && field->name.data() == end; ++field) end = field->line_end();
    append(std::string_view(begin, static_cast<size_t>(end - begin)));
  }
}

void Serializer::framing_field(const http::ContentLength& content) {
  if (content.kind == Kind::kKnown) {
    char digits[20];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, content.bytes);
    append("Content-Length: ", std::string_view(digits, static_cast<size_t>(end - digits)), "\r\n");
  } else if (content.kind == Kind::kUnknown) {
    append("Transfer-Encoding: chunked\r\n");
  }
}

void Serializer::request_head(std::string_view method, std::string_view target, std::string_view host,
                              const http::Fields& fields, const http::ContentLength& content) {
  append(method, " ", target, " HTTP/1.1\r\nHost: ", host, "\r\n");
  field_lines(fields);
  framing_field(content);
  append(content.kind == Kind::kTunnel ? "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" : "\r\n");
}

// Apart from the head's own function, which stays small enough for its callers.
[[gnu::noinline]] void Serializer::ready_lines(std::span<const std::string_view> all) {
  for (const std::string_view lines : all) append(lines);
}

void Serializer::response_head(int status, std::string_view reason, const http::Fields* fields,
                               const http::ContentLength& content, const ResponseOptions& options) {
  const auto digit = [status](int divisor) { return static_cast<char>('0' + status / divisor % 10); };
  const char line[] = {'H', 'T', 'T', 'P', '/', '1', '.', '1', ' ', digit(100), digit(10), digit(1), ' '};
  append(std::string_view(line, sizeof line), reason.empty() ? http::reason_phrase(status) : reason, "\r\n");
  if (!options.lines.empty()) ready_lines(options.lines);
  if (fields) field_lines(*fields);
  if (options.framing) framing_field(content);
  if (options.upgrade_websocket) {
    append("Connection: Upgrade\r\nUpgrade: websocket\r\n");
  } else if (!options.keep_alive) {
    append("Connection: close\r\n");
  } else if (options.downstream == http::Version::kHttp10) {
    append("Connection: keep-alive\r\n");
  }
  append("\r\n");
}

void Serializer::chunk_start(uint64_t octets) {
  char digits[16];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, octets, 16);
  append(std::string_view(digits, static_cast<size_t>(end - digits)), "\r\n");
}

void Serializer::last_chunk(const http::Fields* trailers) {
  append("0\r\n");
  if (trailers) field_lines(*trailers);
  append("\r\n");
}

}   // namespace proxyd::http1
