#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/unique_fd.h"
#include "shared/config/model.h"
#include "shared/metrics/metrics_region.h"

namespace proxyd::proxy {

// What is remembered of a request, whatever became of it. Views live as long as the request; times in microseconds,
// empty or negative where there is nothing to say.
struct AccessRecord {
  int64_t time_ms = 0;   // wall clock, when the request began
  std::string_view request_id;
  std::string_view trace_id;
  std::string_view client;
  std::string_view protocol = "HTTP/1.1";
  std::string_view tls;   // version; empty in cleartext
  std::string_view host;
  std::string_view method;
  std::string_view path;
  std::string_view query;
  std::string_view referer;
  std::string_view user_agent;
  int status = 0;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  int64_t duration_us = 0;
  int64_t first_byte_us = -1;
  int64_t queue_us = -1;
  int64_t connect_us = -1;
  std::string_view host_name;   // of the document, or _rejected, _none
  std::string_view route;
  std::string_view upstream;
  std::string_view target;
  int attempts = 0;
  std::string_view error;   // token
  std::string_view cache;   // what it was for the request; and why not all of it
  std::string_view cache_reason;
  uint32_t worker = 0;
  uint64_t revision = 0;
};

// A record as one line, appended to `out`: JSON, or the combined format of web servers. Whatever octets came in, the
// line is valid and holds no control character. Values of redacted query parameters are left out.
void append_json(std::string& out, const AccessRecord& record, const std::vector<std::string>& redact);
void append_combined(std::string& out, const AccessRecord& record, const std::vector<std::string>& redact);

// The access logs of a worker: lines gather in a buffer for each sink and leave in one write when it is full or once a
// second, off the request's path. A sink that takes no more (a full disk, a blocked pipe) loses lines, which are
// counted; requests go on. Owned by the worker; one thread.
class AccessLog {
 public:
  AccessLog(const config::Logging& logging, std::vector<UniqueFd> sinks, metrics::Cell dropped);
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  ~AccessLog();

  bool has_sinks() const { return !sinks_.empty(); }
  void append(const AccessRecord& record);
  void flush();

 private:
  struct Sink {
    config::AccessLog settings;
    UniqueFd descriptor;
    bool is_file = false;
    bool is_socket = false;
    std::string buffer;
    size_t lines = 0;
  };
  static size_t next_write(const Sink& sink);
  void flush(Sink& sink);

  std::vector<Sink> sinks_;
  std::vector<std::string> redact_;
  metrics::Cell dropped_;
};

}   // namespace proxyd::proxy
