#include "worker/http1/serializer.h"

#include <charconv>

#include "worker/http/status.h"

namespace proxyd::http1 {

using Kind = http::ContentLength::Kind;

void Serializer::append_number(uint64_t number) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  append({digits, static_cast<size_t>(end - digits)});
}

inline void Serializer::append_line(const http::Field& field) {
  const size_t size = field.name.size() + field.value.size() + 4;
  if (size > static_cast<size_t>(end_ - at_)) [[unlikely]] {
    overflowed_ = true;
    return;
  }
  char* at = put_octets(put_octets(put_octets(at_, field.name), ": "), field.value);
  at_ = put_octets(at, "\r\n");
}

// Lines that were received one behind the other, as most are that we only pass on, leave in one copy.
void Serializer::field_lines(const http::Fields& fields) {
  const http::Field* const last = fields.end();
  for (const http::Field* field = fields.begin(); field != last;) {
    if (!field->as_received) {
      append_line(*field++);
      continue;
    }
    const char* const begin = field->name.data();
    const char* end = begin;
    for (; field != last && field->as_received && field->name.data() == end; ++field) end = field->line_end();
    append({begin, static_cast<size_t>(end - begin)});
  }
}

void Serializer::framing_field(const http::ContentLength& content) {
  if (content.kind == Kind::kKnown) {
    append("Content-Length: ");
    append_number(content.bytes);
    append("\r\n");
  } else if (content.kind == Kind::kUnknown) {
    append("Transfer-Encoding: chunked\r\n");
  }
}

void Serializer::request_head(std::string_view method, std::string_view target, std::string_view host,
                              const http::Fields& fields, const http::ContentLength& content) {
  append(method);
  append(" ");
  append(target);
  append(" HTTP/1.1\r\nHost: ");
  append(host);
  append("\r\n");
  field_lines(fields);
  framing_field(content);
  append(content.kind == Kind::kTunnel ? "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" : "\r\n");
}

void Serializer::response_head(int status, std::string_view reason, const http::Fields& fields,
                               const http::ContentLength& content, const ResponseOptions& options) {
  const auto digit = [status](int divisor) { return static_cast<char>('0' + status / divisor % 10); };
  const char line[] = {'H', 'T', 'T', 'P', '/', '1', '.', '1', ' ', digit(100), digit(10), digit(1), ' '};
  append({line, sizeof line});
  append(reason.empty() ? http::reason_phrase(status) : reason);
  append("\r\n");
  field_lines(fields);
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
  append({digits, static_cast<size_t>(end - digits)});
  append("\r\n");
}

void Serializer::last_chunk(const http::Fields* trailers) {
  append("0\r\n");
  if (trailers) field_lines(*trailers);
  append("\r\n");
}

}   // namespace proxyd::http1
