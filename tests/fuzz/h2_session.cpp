#include <cstdlib>
#include <string>

#include "tests/support/http2/transcript.h"

// What a client sends behind its preface, or, where the first octet is odd, a server to a client that has asked it
// twice. Oracle: in parts of any size it means what it means at once, and so does what is said in room of any size;
// whoever answers between the parts finds everything harmless; no memory is left.
namespace {

using namespace proxyd;
using namespace proxyd::http2;

void ask_twice(Peer& client) {
  const std::string path = "/p";
  for (const char* method : {"GET", "POST"}) {
    client.session->open({.method = method, .scheme = "http", .authority = "a", .path = path}, *method == 'G');
  }
  client.produce();
}

std::string run(Role role, std::string_view octets, size_t step) {
  Peer peer(role);
  if (role == Role::kClient) ask_twice(peer);
  std::string all = role == Role::kServer ? octets::hello() : octets::settings();
  all += octets;
  std::string text = transcript(peer, all, step);
  const size_t left = peer.session->fault() == Fault::kNone ? peer.session->open_streams() : 0;
  peer.session.reset();
  if (peer.memory.live != 0) std::abort();
  return text + std::to_string(left);
}

// Answers each request as it comes, and lets go of half of them.
std::string serve(std::string_view octets, size_t step, size_t room) {
  Peer peer(Role::kServer);
  peer.receive(octets::hello());
  std::string said;
  const std::array<std::string_view, 2> pieces = {"some ", "content"};
  while (!octets.empty()) {
    const size_t some = std::min(step, octets.size());
    peer.receive(octets.substr(0, some));
    octets.remove_prefix(some);
    for (const auto& [stream, news] : peer.news()) {
      if (holds(news, News::kHead)) stream->submit_head({.status = 200}, stream->id() % 4 == 1);
      stream->consume(stream->content_waiting() / 2);
      const bool done = stream->id() % 8 == 3 || (holds(news, News::kClosed) && stream->id() % 8 == 7);
      if (done) {
        stream->release();
        continue;
      }
      stream->offer(pieces, false);
      said += peer.produce(room);
      if (holds(news, News::kEnd)) stream->finish(nullptr);
    }
    said += peer.produce(room);
  }
  peer.session.reset();
  if (peer.memory.live != 0) std::abort();
  return said;
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Role role = data[0] % 2 == 0 ? Role::kServer : Role::kClient;
  const std::string expected = run(role, octets, SIZE_MAX);
  if (run(role, octets, 1) != expected) std::abort();
  if (run(role, octets, 1 + data[0] / 2) != expected) std::abort();
  if (role == Role::kServer) {
    serve(octets, 1 + data[0], 64 * 1024);
    serve(octets, 1 + data[0], 1 + data[0]);
  }
  return 0;
}
