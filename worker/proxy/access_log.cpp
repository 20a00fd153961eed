#include "worker/proxy/access_log.h"

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "shared/base/bytes.h"

namespace proxyd::proxy {
namespace {

constexpr size_t kFlushAt = 60 * 1024;
constexpr size_t kMostAtOnce = 64 * 1024;
constexpr size_t kMostBuffered = 256 * 1024;

// Whether `name`, percent-encoded in part perhaps, says `plain`.
bool says(std::string_view name, std::string_view plain) {
  size_t at = 0;
  for (const char expected : plain) {
    if (at >= name.size()) return false;
    char c = name[at++];
    const bool encoded = c == '%' && at + 2 <= name.size() && hex_value(name[at]) >= 0 && hex_value(name[at + 1]) >= 0;
    if (encoded) {
      c = static_cast<char>(hex_value(name[at]) * 16 + hex_value(name[at + 1]));
      at += 2;
    }
    if (ascii_lower(c) != ascii_lower(expected)) return false;
  }
  return at == name.size();
}

bool is_redacted(std::string_view name, const std::vector<std::string>& redact) {
  return std::any_of(redact.begin(), redact.end(), [name](const std::string& one) { return says(name, one); });
}

// Calls `put` with the pieces of the query, the values of redacted parameters replaced.
template <class Put>
void for_redacted(std::string_view query, const std::vector<std::string>& redact, Put put) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos && is_redacted(pair.substr(0, equals), redact)) {
      put(pair.substr(0, equals + 1));
      put("REDACTED");
    } else {
      put(pair);
    }
    if (!query.empty()) put("&");
  }
}

// The same for an address, of which only the query is looked at.
template <class Put>
void for_redacted_address(std::string_view address, const std::vector<std::string>& redact, Put put) {
  const size_t query = std::min(address.find('?'), address.size() - 1) + 1;
  put(address.substr(0, query));
  for_redacted(address.substr(query), redact, put);
}

void append_hex(std::string& out, std::string_view prefix, unsigned char octet) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += prefix;
  out += kDigits[octet >> 4];
  out += kDigits[octet & 15];
}

// Octets beyond ASCII are written as U+0080–U+00FF, one each: valid JSON for whatever came in.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20 || octet >= 0x7F) {
      append_hex(out, "\\u00", octet);
    } else {
      out += c;
    }
  }
}

class JsonLine {
 public:
  explicit JsonLine(std::string& out) : out_(out) { out_ += '{'; }
  void text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    key(name);
    out_ += '"';
    append_escaped(out_, value);
    out_ += '"';
  }
  void number(std::string_view name, int64_t value) {
    if (value < 0) return;
    key(name);
    fmt_number(value);
  }
  void key(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    out_ += '"';
    out_ += name;
    out_ += "\":";
  }
  std::string& raw() { return out_; }
  void end() { out_ += "}\n"; }

 private:
  void fmt_number(int64_t value) {
    char digits[21];
    char* at = digits + sizeof digits;
    do {
      *--at = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    out_.append(at, static_cast<size_t>(digits + sizeof digits - at));
  }
  std::string& out_;
};

void append_time(std::string& out, int64_t time_ms, const char* format, bool with_milliseconds) {
  const std::time_t seconds = time_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  out.append(text, std::strftime(text, sizeof text, format, &utc));
  if (!with_milliseconds) return;
  const int64_t rest = time_ms % 1000;
  for (const char c : {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                       static_cast<char>('0' + rest % 10), 'Z'})
    out += c;
}

// In quotes, as Apache writes it: `"` and `\` escaped, what is not printable as \xHH.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text.empty() ? std::string_view("-") : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20 || octet >= 0x7F) {
      append_hex(out, "\\x", octet);
    } else {
      out += c;
    }
  }
  out += '"';
}

}   // namespace

void append_json(std::string& out, const AccessRecord& record, const std::vector<std::string>& redact) {
  JsonLine line(out);
  line.key("time");
  out += '"';
  append_time(out, record.time_ms, "%Y-%m-%dT%H:%M:%S", true);
  out += '"';
  line.text("request_id", record.request_id);
  line.text("trace_id", record.trace_id);
  line.text("client", record.client);
  line.text("protocol", record.protocol);
  line.text("tls", record.tls);
  line.text("host", record.host);
  line.text("method", record.method);
  line.text("path", record.path);
  if (!record.query.empty()) {
    line.key("query");
    out += '"';
    for_redacted(record.query, redact, [&out](std::string_view piece) { append_escaped(out, piece); });
    out += '"';
  }
  line.number("status", record.status);
  line.number("bytes_in", static_cast<int64_t>(record.bytes_in));
  line.number("bytes_out", static_cast<int64_t>(record.bytes_out));
  line.number("duration_us", record.duration_us);
  line.number("first_byte_us", record.first_byte_us);
  line.number("queue_us", record.queue_us);
  line.number("connect_us", record.connect_us);
  line.text("host_name", record.host_name);
  line.text("route", record.route);
  line.text("upstream", record.upstream);
  line.text("target", record.target);
  if (record.attempts > 0) line.number("attempts", record.attempts);
  line.text("cache", record.cache);
  line.text("cache_reason", record.cache_reason);
  line.text("error", record.error);
  line.text("user_agent", record.user_agent);
  if (!record.referer.empty()) {
    line.key("referer");
    out += '"';
    for_redacted_address(record.referer, redact, [&out](std::string_view piece) { append_escaped(out, piece); });
    out += '"';
  }
  line.number("worker", record.worker);
  line.number("revision", static_cast<int64_t>(record.revision));
  line.end();
}

void append_combined(std::string& out, const AccessRecord& record, const std::vector<std::string>& redact) {
  out += record.client.empty() ? std::string_view("-") : record.client;
  out += " - - [";
  append_time(out, record.time_ms, "%d/%b/%Y:%H:%M:%S +0000", false);
  out += "] ";
  std::string request(record.method);
  if (!record.method.empty()) {
    request += ' ';
    request += record.path;
    if (!record.query.empty()) request += '?';
    for_redacted(record.query, redact, [&request](std::string_view piece) { request += piece; });
    request += ' ';
    request += record.protocol;
  }
  append_quoted(out, request);
  out += ' ' + std::to_string(record.status) + ' ' + std::to_string(record.bytes_out) + ' ';
  std::string referer;
  if (!record.referer.empty())
    for_redacted_address(record.referer, redact, [&referer](std::string_view piece) { referer += piece; });
  append_quoted(out, referer);
  out += ' ';
  append_quoted(out, record.user_agent);
  out += '\n';
}

AccessLog::AccessLog(const config::Logging& logging, std::vector<UniqueFd> sinks, metrics::Cell dropped)
    : redact_(logging.redact_query), dropped_(dropped) {
  const size_t count = std::min(sinks.size(), logging.access.size());
  for (size_t i = 0; i < count; ++i) {
    struct stat about{};
    const bool known = ::fstat(sinks[i].value(), &about) == 0;
    Sink sink{.settings = logging.access[i],
              .descriptor = std::move(sinks[i]),
              .is_file = known && S_ISREG(about.st_mode),
              .is_socket = known && S_ISSOCK(about.st_mode)};
    sink.buffer.reserve(kFlushAt + 16 * 1024);
    sinks_.push_back(std::move(sink));
  }
}

// What a blocked sink has not taken is lost with it.
AccessLog::~AccessLog() {
  for (Sink& sink : sinks_) {
    flush(sink);
    dropped_.add(sink.lines);
  }
}

void AccessLog::append(const AccessRecord& record) {
  for (Sink& sink : sinks_) {
    const auto& unless = sink.settings.unless_paths;
    if (std::find(unless.begin(), unless.end(), record.path) != unless.end()) continue;
    if (sink.buffer.size() > kMostBuffered) {
      dropped_.add();
      continue;
    }
    const bool json = sink.settings.format == config::AccessLog::Format::kJson;
    json ? append_json(sink.buffer, record, redact_) : append_combined(sink.buffer, record, redact_);
    ++sink.lines;
    if (sink.buffer.size() >= kFlushAt) flush(sink);
  }
}

void AccessLog::flush() {
  for (Sink& sink : sinks_) flush(sink);
}

// Whole lines, as many as go into one write; at least the first, however long.
size_t AccessLog::next_write(const Sink& sink) {
  const size_t most = sink.is_file ? kMostAtOnce : PIPE_BUF;
  if (sink.buffer.size() <= most) return sink.buffer.size();
  const size_t end = sink.buffer.rfind('\n', most - 1);
  if (end != std::string::npos) return end + 1;
  return sink.is_file ? sink.buffer.find('\n') + 1 : most;
}

// The master opens pipes and terminals so that they don't block. One that it could only inherit is asked first, and
// given no more than it has promised room for.
void AccessLog::flush(Sink& sink) {
  while (!sink.buffer.empty()) {
    pollfd ready{sink.descriptor.value(), POLLOUT, 0};
    if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) break;   // kept, up to a bound
    const size_t size = next_write(sink);
    const ssize_t written = sink.is_socket
                                ? ::send(sink.descriptor.value(), sink.buffer.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                : ::write(sink.descriptor.value(), sink.buffer.data(), size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) break;
    if (written <= 0) {
      dropped_.add(sink.lines);
      sink.lines = 0;
      sink.buffer.clear();
      break;
    }
    sink.lines -= static_cast<size_t>(std::count(sink.buffer.begin(), sink.buffer.begin() + written, '\n'));
    sink.buffer.erase(0, static_cast<size_t>(written));
  }
}

}   // namespace proxyd::proxy
