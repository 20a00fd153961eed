// What a request costs the HTTP/2 engine, in instructions, without a socket: h2_engine REQUESTS AT_ONCE [encoded].
// tests/bench/h2_engine runs it under callgrind, which counts what `serve` does and calls.
#include <array>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "worker/http2/session.h"

namespace {

using namespace proxyd;
using namespace proxyd::http2;

// Free lists by size, as the worker's pool of frames has them.
class Pool final : public Memory {
 public:
  void* allocate(size_t size) override {
    auto& list = free_.at(size / kStep);
    if (list.empty()) {
      ++from_heap;
      return ::operator new((size / kStep + 1) * kStep);
    }
    void* memory = list.back();
    list.pop_back();
    return memory;
  }
  void release(void* memory, size_t size) override { free_.at(size / kStep).push_back(memory); }
  size_t from_heap = 0;

 private:
  static constexpr size_t kStep = 128;
  std::array<std::vector<void*>, 1024> free_;
};

std::array<std::atomic<uint64_t>, 192> words;

Counters make_counters() {
  Counters counters;
  size_t used = 0;
  const auto fill = [&](auto& cells) {
    for (metrics::Cell& cell : cells) cell = metrics::Cell(&words.at(used++));
  };
  fill(counters.frames_received);
  fill(counters.frames_sent);
  fill(counters.octets_received);
  fill(counters.octets_sent);
  fill(counters.resets_received);
  fill(counters.resets_sent);
  fill(counters.connection_errors);
  counters.header_tables = metrics::Cell(&words.at(used++));
  return counters;
}

struct Answer {
  std::string content = std::string(1024, 'x');
  std::string lines =
      "Content-Type: text/plain\r\nCache-Control: max-age=60\r\nETag: \"abcdef\"\r\nLast-Modified: Mon, 01 Jan 2024 "
      "00:00:00 GMT\r\nServer: nginx\r\nVary: Accept-Encoding\r\nVia: 1.1 proxyd\r\n";
  std::string varying = "Date: Fri, 27 Nov 2026 02:00:00 GMT\r\nAge: 12\r\nCache-Status: proxyd; hit; ttl=48\r\n";
};

// One turn of the loop: what has been read goes in, each request gets the answer of a cache, and what there is to say
// goes out.
[[gnu::noinline]] size_t serve(Session& session, std::string_view octets, const Answer& answer, std::span<char> room) {
  session.receive(octets, 1);
  size_t size = 0;
  const std::array<std::string_view, 2> lines = {answer.lines, answer.varying};
  const std::array<std::string_view, 1> pieces = {answer.content};
  while (Stream* stream = session.next_news()) {
    const News news = stream->take_news();
    if (!holds(news, News::kHead)) continue;
    stream->submit_head({.status = 200, .lines = lines, .content = {http::ContentLength::Kind::kKnown, 1024}}, false);
    stream->offer(pieces, true);
    size += session.produce(room.subspan(size));
    if (!stream->taken().ended) std::abort();
    stream->release();
  }
  return size + session.produce(room.subspan(size));
}

}   // namespace

int main(int count, char** arguments) {
  size_t requests = 1000;
  size_t at_once = 10;
  if (count > 1) requests = std::strtoul(arguments[1], nullptr, 10);
  if (count > 2) at_once = std::strtoul(arguments[2], nullptr, 10);
  Pool pool, client_pool;
  const Counters counters = make_counters();
  Session server(Role::kServer, {}, pool, counters);
  Session client(Role::kClient, {.small_heads = true}, client_pool, counters);   // as clients do
  Answer answer;
  http::Arena arena;
  http::Fields fields(arena);
  fields.add("User-Agent", "h2load nghttp2/1.52.0");
  fields.add("Accept", "*/*");
  std::vector<char> room(256 * 1024);
  size_t heap_after_warming = 0;
  for (size_t done = 0; done < requests; done += at_once) {
    if (done == requests / 2) heap_after_warming = pool.from_heap;
    std::vector<Stream*> streams;
    for (size_t i = 0; i < at_once; ++i) {
      streams.push_back(client.open(
          {.method = "GET", .scheme = "http", .authority = "127.0.0.1:8080", .path = "/1k", .fields = &fields}, true));
    }
    const size_t asked = client.produce({room.data(), room.size()});
    const std::string question(room.data(), asked);
    const size_t said = serve(server, question, answer, room);
    client.receive({room.data(), said}, 1);
    while (client.next_news()) {
    }
    for (Stream* stream : streams) {
      if (!stream || stream->response().status != 200 || stream->content_waiting() != 1024) std::abort();
      stream->release();
    }
  }
  std::printf("%zu requests; pieces from the heap after warming up: %zu\n", requests,
              pool.from_heap - heap_after_warming);
}
