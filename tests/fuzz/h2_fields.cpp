#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "tests/support/http2/peer.h"
#include "worker/http/characters.h"

// The fields of a request, each an octet for the size of its name, the name, an octet for its value's, the value; where
// the first octet is odd, the usual pseudo-fields come first. Oracle: what we accept nghttp2's own rules accept too;
// the head that comes of it holds nothing that could be misread in HTTP/1, and sent on by us it arrives as it is.
namespace {

using namespace proxyd;
using namespace proxyd::http2;

octets::Fields fields_from(std::string_view input) {
  octets::Fields fields;
  if (!input.empty() && input[0] % 2 != 0) fields = octets::get();
  input.remove_prefix(std::min<size_t>(input.size(), 1));
  const auto text = [&input] {
    const size_t size = input.empty() ? 0 : std::min<size_t>(static_cast<uint8_t>(input[0]), input.size() - 1);
    const std::string one(input.substr(std::min<size_t>(input.size(), 1), size));
    input.remove_prefix(std::min(input.size(), size + 1));
    return one;
  };
  while (!input.empty()) {
    std::string name = text();
    fields.emplace_back(std::move(name), text());
  }
  return fields;
}

struct Seen {
  bool head = false;
};

bool nghttp2_accepts(std::string_view octets) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* seen) {
        static_cast<Seen*>(seen)->head |= frame->hd.type == NGHTTP2_HEADERS;
        return 0;
      });
  nghttp2_session* session = nullptr;
  Seen seen;
  nghttp2_session_server_new(&session, callbacks, &seen);
  nghttp2_session_mem_recv(session, reinterpret_cast<const uint8_t*>(octets.data()), octets.size());
  nghttp2_session_del(session);
  nghttp2_session_callbacks_del(callbacks);
  return seen.head;
}

void check(const http::RequestHead& head) {
  int hosts = 0;
  for (const http::Field& field : head.fields) {
    hosts += field.known == http::FieldName::kHost ? 1 : 0;
    const bool name = !field.name.empty() && std::all_of(field.name.begin(), field.name.end(), [](char c) {
      return http::is_in(c, http::character::kToken) && !http::is_in(c, http::character::kUpper);
    });
    const bool value = field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
    if (!name || !value || http::field_name_from(field.name) != field.known) std::abort();
  }
  if (hosts != 1) std::abort();
  for (const auto name :
       {http::FieldName::kConnection, http::FieldName::kTransferEncoding, http::FieldName::kUpgrade}) {
    if (head.fields.has(name)) std::abort();
  }
  if (head.method != http::Method::kOptions && !head.target.path.starts_with('/')) std::abort();
}

bool same(const http::RequestHead& a, const http::RequestHead& b) {
  const auto same_line = [](const http::Field& one, const http::Field& other) {
    return one.name == other.name && one.value == other.value;
  };
  std::vector<http::Field> lines[2];
  for (const http::RequestHead* head : {&a, &b}) {
    for (const http::Field& field : head->fields) {
      if (field.known != http::FieldName::kHost && field.known != http::FieldName::kTe)
        lines[head == &b].push_back(field);
    }
  }
  return a.method_text == b.method_text && a.target.raw == b.target.raw && a.authority == b.authority &&
         std::equal(lines[0].begin(), lines[0].end(), lines[1].begin(), lines[1].end(), same_line);
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const octets::Fields fields = fields_from({reinterpret_cast<const char*>(data), size});
  const std::string block = octets::block(fields);
  if (block.size() > kLargestFrame) return 0;
  const std::string all = octets::hello() + octets::frame(1, 5, 1, block);
  Peer server(Role::kServer);
  server.receive(all);
  Stream* stream = server.only_stream();
  if (!stream) std::abort();
  if (stream->is_reset() == (stream->refusal() == http::Refusal::kNone)) {
    if (stream->is_reset()) std::abort();   // for no reason
  }
  if (stream->refusal() != http::Refusal::kNone) return 0;
  if (!nghttp2_accepts(all)) std::abort();
  const http::RequestHead& head = stream->request();
  check(head);
  Peer client(Role::kClient), origin(Role::kServer);
  const std::string_view host = head.fields.value(http::FieldName::kHost);
  talk(client, origin);
  client.session->open({.method = head.method_text,
                        .scheme = head.target.scheme,
                        .authority = host,
                        .path = head.target.raw,
                        .fields = &head.fields},
                       true);
  talk(client, origin);
  const Stream* arrived = origin.only_stream();
  if (!arrived || arrived->refusal() != http::Refusal::kNone || !same(head, arrived->request())) std::abort();
  return 0;
}
