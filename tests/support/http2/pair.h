#pragma once

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "tests/support/http2/peer.h"

namespace proxyd::http2 {

// A client and a server of ours that have said hello.
class Pair : public testing::Test {
 protected:
  Pair() { talk(client, server); }

  Stream* ask(const OutgoingRequest& request, bool end = true) {
    Stream* stream = client.session->open(request, end);
    talk(client, server);
    return stream;
  }
  static OutgoingRequest get() { return {.method = "GET", .scheme = "https", .authority = "a.test", .path = "/p?q"}; }

  // The whole of a content, against whatever windows.
  static std::string send(Peer& from, Peer& to, Stream& stream, std::string_view content, Stream& at) {
    std::string arrived;
    std::string buffer(20000, '\0');
    for (;;) {
      const std::array<std::string_view, 1> pieces = {content};
      stream.offer(pieces, true);
      const size_t size = from.session->produce({buffer.data(), buffer.size()});
      content.remove_prefix(stream.taken().octets);
      EXPECT_TRUE(to.receive({buffer.data(), size}));
      arrived += all_content(at);
      if (stream.taken().ended) return arrived;
      talk(from, to);
    }
  }

  Peer client{Role::kClient};
  Peer server{Role::kServer};
};

}   // namespace proxyd::http2
