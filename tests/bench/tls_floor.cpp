// The least that TLS costs: OpenSSL on an epoll loop, without HTTP. One thread accepts with a certificate, reads until
// a request's head has ended and writes a response of the size that its path names, "/1k" or "/1m", as nothing else
// would do less: no parser, no cache, no time. The floor of tests/bench/tls.
//   tls_floor PORT CERTIFICATE KEY
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

struct Client {
  int socket;
  SSL* ssl;
  bool established = false;
  const std::string* answer = nullptr;   // being written
  size_t written = 0;
};

std::string response_of(size_t size) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
         std::string(size, 'x');
}

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int choose_http1(SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned, void*) {
  *out = reinterpret_cast<const unsigned char*>("http/1.1");
  *size = 8;
  return SSL_TLSEXT_ERR_OK;
}

class Floor {
 public:
  Floor(uint16_t port, const char* certificate, const char* key) {
    SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
    SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_read_ahead(context_, 1);
    SSL_CTX_set_num_tickets(context_, 1);
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
    SSL_CTX_set1_groups_list(context_, "X25519:P-256");
    SSL_CTX_set_ciphersuites(context_, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_alpn_select_cb(context_, choose_http1, nullptr);
    if (SSL_CTX_use_certificate_chain_file(context_, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context_, key, SSL_FILETYPE_PEM) != 1)
      fail("the certificate or its key");
    const sockaddr_in address{AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {}};
    const int one = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    ::setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
    if (::listen(listener_, 4096) != 0) fail("listen");
    watch(listener_, EPOLLIN, nullptr);
  }

  [[noreturn]] void serve() {
    for (;;) {
      epoll_event events[256];
      const int count = ::epoll_wait(epoll_, events, 256, -1);
      for (int i = 0; i < count; ++i) {
        auto* client = static_cast<Client*>(events[i].data.ptr);
        if (!client) {
          accept_all();
        } else if (!go_on(*client)) {
          ::close(client->socket);
          SSL_free(client->ssl);
          delete client;
        }
      }
    }
  }

 private:
  void watch(int descriptor, uint32_t what, void* whose) {
    epoll_event event{what, {}};
    event.data.ptr = whose;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) fail("epoll_ctl");
  }

  void accept_all() {
    for (int socket; (socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      auto* client = new Client{socket, SSL_new(context_)};
      SSL_set_fd(client->ssl, socket);
      SSL_set_accept_state(client->ssl);
      watch(socket, EPOLLIN | EPOLLOUT | EPOLLET, client);
    }
  }

  static bool may_wait(const Client& client, int result) {
    const int why = SSL_get_error(client.ssl, result);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
  }

  // False when the connection is over.
  bool go_on(Client& client) {
    ERR_clear_error();
    if (!client.established) {
      const int done = SSL_do_handshake(client.ssl);
      if (done != 1) return may_wait(client, done);
      client.established = true;
    }
    for (;;) {
      while (client.answer) {
        const std::string_view left = std::string_view(*client.answer).substr(client.written);
        const int written = SSL_write(client.ssl, left.data(), static_cast<int>(left.size()));
        if (written <= 0) return may_wait(client, written);
        client.written += static_cast<size_t>(written);
        if (client.written == client.answer->size()) client.answer = nullptr;
      }
      char octets[16 * 1024];
      const int read = SSL_read(client.ssl, octets, sizeof octets);
      if (read <= 0) return may_wait(client, read);
      const std::string_view request(octets, static_cast<size_t>(read));
      if (!request.ends_with("\r\n\r\n")) return false;   // what h2load sends comes whole
      client.answer = request.starts_with("GET /1m ") ? &large_ : &small_;
      client.written = 0;
    }
  }

  SSL_CTX* const context_ = SSL_CTX_new(TLS_server_method());
  const int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int epoll_ = ::epoll_create1(0);
  const std::string small_ = response_of(1024);
  const std::string large_ = response_of(1 << 20);
};

}   // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::fputs("usage: tls_floor PORT CERTIFICATE KEY\n", stderr);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Floor(static_cast<uint16_t>(std::atoi(arguments[1])), arguments[2], arguments[3]).serve();
}
