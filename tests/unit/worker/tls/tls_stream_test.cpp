#include "worker/tls/tls_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <string>

#include "shared/base/kernel_tls.h"
#include "test_identity.h"

namespace proxyd::tls {
namespace {

using net::Moved;

// Two ends of a connection that block nobody.
std::pair<UniqueFd, UniqueFd> connected(int family) {
  std::array<int, 2> ends{-1, -1};
  if (family == AF_UNIX) {
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data());
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
  }
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
  UniqueFd client(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in at{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof at;
  ::bind(listener.value(), reinterpret_cast<sockaddr*>(&at), size);
  ::listen(listener.value(), 1);
  ::getsockname(listener.value(), reinterpret_cast<sockaddr*>(&at), &size);
  ::connect(client.value(), reinterpret_cast<sockaddr*>(&at), size);
  ::fcntl(client.value(), F_SETFL, O_NONBLOCK);
  return {UniqueFd(::accept4(listener.value(), nullptr, nullptr, SOCK_NONBLOCK)), std::move(client)};
}

// A TlsStream and a client of OpenSSL's at the other end, each driven by hand.
class Served {
 public:
  explicit Served(int family, int version = TLS1_3_VERSION)
      : server_context_(server_with_a_key()), client_context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_mode(server_context_.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_read_ahead(server_context_.get(), 1);
    SSL_CTX_set_max_proto_version(client_context_.get(), version);
    auto [server_end, client_end] = connected(family);
    client_end_ = std::move(client_end);
    tcp->start(loop_, std::move(server_end));
    UniqueSsl ssl(SSL_new(server_context_.get()));
    SSL_set_accept_state(ssl.get());
    stream.emplace(*tcp, buffers_, std::move(ssl), &kernel);
    client.reset(SSL_new(client_context_.get()));
    SSL_set_fd(client.get(), client_end_.value());
    SSL_set_connect_state(client.get());
    for (bool done = false; !done;) {
      SSL_do_handshake(client.get());
      tcp->watched().left_behind();
      done = stream->handshake() == TlsStream::Handshake::kDone;
    }
    (void)stream->push();
    SSL_do_handshake(client.get());
  }

  // What the client gets while `text` is written, in one call where it is taken.
  std::string pass_on(const std::string& text) {
    std::string got;
    for (size_t taken = 0; taken < text.size() || stream->holds_back() || got.size() < text.size();) {
      const iovec part{const_cast<char*>(text.data()) + taken, text.size() - taken};
      const Moved moved = taken < text.size() ? stream->write({&part, 1}) : stream->push();
      if (moved.state == Moved::State::kBroken) return "broken";
      taken += moved.octets;
      const std::string some = client_reads();
      if (some.empty() && client_ended()) return got;
      got += some;
    }
    return got;
  }

  std::string client_reads() {
    std::string text(1 << 16, '\0');
    size_t got = 0;
    result_ = SSL_read_ex(client.get(), text.data(), text.size(), &got);
    text.resize(result_ == 1 ? got : 0);
    return text;
  }
  int client_error() const { return SSL_get_error(client.get(), result_); }
  // Until there is some, or an end.
  std::string client_waits() {
    std::string text = client_reads();
    while (text.empty() && !client_ended()) text = client_reads();
    return text;
  }
  bool client_ended() const { return result_ != 1 && client_error() != SSL_ERROR_WANT_READ; }

  void client_sends(const std::string& text) { SSL_write(client.get(), text.data(), static_cast<int>(text.size())); }
  Moved server_reads() {
    std::array<char, 1024> room{};
    for (;;) {
      tcp->watched().left_behind();
      const Moved moved = stream->read(room.data(), room.size());
      if (moved.state != Moved::State::kWouldBlock) return moved;
    }
  }
  uint64_t given() const { return counts_[0]; }
  uint64_t refused() const { return counts_[1]; }
  uint64_t cut() const { return counts_[2]; }

 private:
  std::array<std::atomic<uint64_t>, 3> counts_{};
  UniqueContext server_context_, client_context_;
  async::EventLoop loop_;
  net::BufferPool buffers_;
  UniqueFd client_end_;
  int result_ = 0;

 public:
  const KernelTls kernel{.ciphers = {.aes_128_gcm = true, .aes_256_gcm = true, .chacha20_poly1305 = true},
                         .given = metrics::Cell(&counts_[0]),
                         .refused = metrics::Cell(&counts_[1]),
                         .cut = metrics::Cell(&counts_[2])};
  std::optional<net::TcpStream> tcp{std::in_place};
  std::optional<TlsStream> stream;
  UniqueSsl client;
};

std::string much() {
  std::string text(300'000, '\0');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * i >> 8);
  return text;
}

TEST(TlsStream, MakesTheRecordsWhereTheKernelRefusesTheKeys) {
  Served served(AF_UNIX);
  EXPECT_TRUE(served.pass_on(much()) == much());
  EXPECT_TRUE(served.pass_on(much()) == much());
  EXPECT_EQ(served.refused(), 1u);
  EXPECT_EQ(served.given(), 0u);
  EXPECT_EQ(served.stream->descriptor_to_splice_into(), -1);
}

TEST(TlsStream, OfSmallAnswersIsNeverGivenToTheKernel) {
  Served served(AF_INET);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(served.pass_on("a small answer"), "a small answer");
  EXPECT_EQ(served.given() + served.refused(), 0u);
}

// From here on by the kernel where it has TLS, with the same result where not.
class TlsStreamOf : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Versions, TlsStreamOf, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(TlsStreamOf, SendsTheSameOctetsWhoeverMakesTheRecords) {
  Served served(AF_INET, GetParam());
  EXPECT_EQ(served.pass_on("small"), "small");
  EXPECT_TRUE(served.pass_on(much()) == much());
  EXPECT_EQ(served.pass_on("small"), "small");
  EXPECT_EQ(served.given(), kernel_tls_ciphers().any() ? 1u : 0u);
  EXPECT_EQ(served.refused(), kernel_tls_ciphers().any() ? 0u : 1u);
}

TEST_P(TlsStreamOf, SaysTheEndBehindTheLastOctet) {
  Served served(AF_INET, GetParam());
  EXPECT_TRUE(served.pass_on(much()) == much());
  served.stream->end_writing();
  EXPECT_EQ(served.client_waits(), "");
  EXPECT_EQ(served.client_error(), SSL_ERROR_ZERO_RETURN);
}

TEST_P(TlsStreamOf, ReadsOnAfterMuchWasSent) {
  Served served(AF_INET, GetParam());
  EXPECT_TRUE(served.pass_on(much()) == much());
  served.client_sends("a request");
  EXPECT_EQ(served.server_reads().octets, 9u);
}

TEST_P(TlsStreamOf, HoldsBackWhileTheClientReadsNothing) {
  Served served(AF_INET, GetParam());
  const std::string text(1 << 20, 'x');
  const iovec part{const_cast<char*>(text.data()), text.size()};
  size_t taken = 0;
  for (Moved moved; (moved = served.stream->write({&part, 1})).octets > 0;) taken += moved.octets;
  served.stream->end_writing();
  EXPECT_TRUE(served.stream->holds_back());
  size_t got = 0;
  do {
    got += served.client_reads().size();
    (void)served.stream->push();
  } while (!served.client_ended());
  EXPECT_EQ(got, taken);
  EXPECT_EQ(served.client_error(), SSL_ERROR_ZERO_RETURN);
  EXPECT_FALSE(served.stream->holds_back());
}

// What is taken of `size` octets by one call, into a buffer of the kernel's so large.
size_t written(Served& served, size_t size, int buffer) {
  ::setsockopt(served.tcp->spliceable_descriptor(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  const std::string text(size, 'x');
  const iovec part{const_cast<char*>(text.data()), text.size()};
  return served.stream->write({&part, 1}).octets;
}

// As much as is just taken: the last record may not have room any more behind the others.
TEST(TlsStream, LosesNothingWhenItIsClosedAsSoonAsNothingIsHeldBack) {
  int closed = 0;
  for (int buffer = 40'000; buffer < 120'000; buffer += 2'500) {
    Served full(AF_INET);
    const size_t most = written(full, 4 << 20, buffer);
    for (const size_t size : {most / 2, most}) {
      Served served(AF_INET);
      const size_t taken = written(served, size, buffer);
      if (served.stream->holds_back()) continue;
      served.stream->end_writing();
      served.stream.reset();
      served.tcp.reset();
      ++closed;
      size_t got = 0;
      do {
        got += served.client_reads().size();
      } while (!served.client_ended());
      ASSERT_EQ(got, taken) << "of " << size << " in " << buffer;
      ASSERT_EQ(served.client_error(), SSL_ERROR_ZERO_RETURN) << size << " in " << buffer;
    }
  }
  EXPECT_GT(closed, 0);
}

TEST(TlsStream, TellsAClientOfABrokenRecordWhatIsWrong) {
  Served served(AF_INET);
  EXPECT_TRUE(served.pass_on(much()) == much());
  const std::string nonsense = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
  ::send(SSL_get_fd(served.client.get()), nonsense.data(), nonsense.size(), 0);
  EXPECT_EQ(served.server_reads().state, Moved::State::kBroken);
  EXPECT_EQ(served.client_waits(), "");
  EXPECT_EQ(served.client_error(), SSL_ERROR_SSL);
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_error()), SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
  ERR_clear_error();
}

TEST(TlsStream, WhoseKeysWereChangedOnceMakesItsRecordsForGood) {
  Served served(AF_INET);
  SSL_key_update(served.client.get(), SSL_KEY_UPDATE_REQUESTED);
  served.client_sends("a request");
  EXPECT_EQ(served.server_reads().octets, 9u);
  EXPECT_TRUE(served.pass_on(much()) == much());
  EXPECT_EQ(served.given() + served.refused(), 0u);
}

TEST(TlsStream, GoesOnWhenTheClientChangesItsOwnKeysAlone) {
  Served served(AF_INET);
  EXPECT_TRUE(served.pass_on(much()) == much());
  SSL_key_update(served.client.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
  served.client_sends("a request");
  EXPECT_EQ(served.server_reads().octets, 9u);
  EXPECT_TRUE(served.pass_on(much()) == much());
}

TEST(TlsStream, GivenToTheKernelIsCutWhenTheClientAsksForNewKeys) {
  Served served(AF_INET);
  EXPECT_TRUE(served.pass_on(much()) == much());
  SSL_key_update(served.client.get(), SSL_KEY_UPDATE_REQUESTED);
  served.client_sends("a request");
  const bool by_kernel = served.given() == 1;
  EXPECT_EQ(served.server_reads().state, by_kernel ? Moved::State::kBroken : Moved::State::kSome);
  EXPECT_EQ(served.pass_on("more"), by_kernel ? "broken" : "more");
  EXPECT_EQ(served.cut(), by_kernel ? 1u : 0u);
}

}   // namespace
}   // namespace proxyd::tls
