#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <cstring>
#include <string>

#include "test_identity.h"
#include "worker/tls/kernel_tls.h"

namespace proxyd::tls {
namespace {

constexpr KernelTlsCiphers kAll = {.aes_128_gcm = true, .aes_256_gcm = true, .chacha20_poly1305 = true};

struct Suite {
  int version;
  const char* name;
  uint8_t fragment = TLSEXT_max_fragment_length_DISABLED;   // how long records may be at most (RFC 6066 4)
};

std::string text_of(const unsigned char* octets, size_t size) { return {reinterpret_cast<const char*>(octets), size}; }

std::string two(size_t number) { return {static_cast<char>(number >> 8), static_cast<char>(number)}; }

// What RFC 5246 6.2.3.3, RFC 5288, RFC 7905 and RFC 8446 5.2 make of the parameters, as the kernel does.
class KernelsPart {
 public:
  explicit KernelsPart(const KernelKeys::Parameters& given) : version_(given.head.version) {
    switch (given.head.cipher_type) {
      case TLS_CIPHER_AES_GCM_128: take(EVP_aes_128_gcm(), given.aes128); break;
      case TLS_CIPHER_AES_GCM_256: take(EVP_aes_256_gcm(), given.aes256); break;
      default: take(EVP_chacha20_poly1305(), given.chacha); break;
    }
  }

  std::string record(std::string content) {
    const bool explicit_nonce = version_ == TLS1_2_VERSION && salt_.size() == 4;
    std::string nonce = salt_ + iv_;
    if (!explicit_nonce) {
      for (size_t i = 0; i < 8; ++i) nonce[nonce.size() - 8 + i] ^= number_[i];
    }
    std::string head("\x17\x03\x03", 3);
    std::string authenticated = number_ + head + two(content.size());
    if (version_ == TLS1_3_VERSION) {
      content += '\x17';
      authenticated = head + two(content.size() + 16);
    }
    const std::string sealed = (explicit_nonce ? iv_ : "") + seal(nonce, authenticated, content);
    return head + two(sealed.size()) + sealed;
  }

 private:
  template <class Given>
  void take(const EVP_CIPHER* cipher, const Given& given) {
    cipher_ = cipher;
    key_ = text_of(given.key, sizeof given.key);
    salt_ = text_of(given.salt, sizeof given.salt);
    iv_ = text_of(given.iv, sizeof given.iv);
    number_ = text_of(given.rec_seq, sizeof given.rec_seq);
  }

  static const unsigned char* octets(const std::string& text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  }

  std::string seal(const std::string& nonce, const std::string& authenticated, const std::string& content) const {
    const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(),
                                                                             &EVP_CIPHER_CTX_free);
    std::string sealed(content.size() + 16, '\0');
    auto* out = reinterpret_cast<unsigned char*>(sealed.data());
    int size = 0;
    EVP_EncryptInit_ex(context.get(), cipher_, nullptr, octets(key_), octets(nonce));
    EVP_EncryptUpdate(context.get(), nullptr, &size, octets(authenticated), static_cast<int>(authenticated.size()));
    EVP_EncryptUpdate(context.get(), out, &size, octets(content), static_cast<int>(content.size()));
    EVP_EncryptFinal_ex(context.get(), out + size, &size);
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, out + content.size());
    return sealed;
  }

  int version_;
  const EVP_CIPHER* cipher_ = nullptr;
  std::string key_, salt_, iv_, number_;
};

// A server whose octets pass as those of a TlsStream do, and a client, in memory.
class Pair {
 public:
  explicit Pair(const Suite& suite)
      : server_context_(server_with_a_key()), client_context_(SSL_CTX_new(TLS_client_method())) {
    for (SSL_CTX* context : {server_context_.get(), client_context_.get()}) {
      SSL_CTX_set_min_proto_version(context, suite.version);
      SSL_CTX_set_max_proto_version(context, suite.version);
      if (suite.version == TLS1_2_VERSION) SSL_CTX_set_cipher_list(context, suite.name);
      if (suite.version == TLS1_3_VERSION) SSL_CTX_set_ciphersuites(context, suite.name);
    }
    SSL_CTX_set_tlsext_max_fragment_length(client_context_.get(), suite.fragment);
    server_.reset(SSL_new(server_context_.get()));
    client_.reset(SSL_new(client_context_.get()));
    SSL_set_options(server_.get(), SSL_OP_ENABLE_KTLS);
    to_server_ = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(method());
    BIO_set_data(out, this);
    BIO_set_init(out, 1);
    SSL_set_bio(server_.get(), to_server_, out);
    to_client_ = BIO_new(BIO_s_mem());
    BIO_up_ref(to_server_);
    SSL_set_bio(client_.get(), to_client_, to_server_);
    SSL_set_accept_state(server_.get());
    SSL_set_connect_state(client_.get());
    for (int turn = 0; turn < 4; ++turn) {
      SSL_do_handshake(client_.get());
      SSL_do_handshake(server_.get());
    }
  }

  bool established() const { return SSL_is_init_finished(server_.get()) && SSL_is_init_finished(client_.get()); }
  void send(const std::string& text) { SSL_write(server_.get(), text.data(), static_cast<int>(text.size())); }
  void inject(const std::string& octets) { BIO_write(to_client_, octets.data(), static_cast<int>(octets.size())); }
  std::string receive() {
    std::string text(1 << 16, '\0');
    size_t all = 0;
    for (size_t got = 0; SSL_read_ex(client_.get(), text.data() + all, text.size() - all, &got) == 1;) all += got;
    text.resize(all);
    return text;
  }

  std::unique_ptr<KernelKeys> keys;

 private:
  static int write(BIO* bio, const char* octets, int size) {
    Pair& self = *static_cast<Pair*>(BIO_get_data(bio));
    if (self.keys) self.keys->passed({octets, static_cast<size_t>(size)});
    return BIO_write(self.to_client_, octets, size);
  }
  static long control(BIO* bio, int command, long number, void* pointer) {
    if (command == kOfferKeys && number != 0)
      static_cast<Pair*>(BIO_get_data(bio))->keys = KernelKeys::copy(pointer, kAll);
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }
  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* one = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "test");
      BIO_meth_set_write(one, &Pair::write);
      BIO_meth_set_ctrl(one, &Pair::control);
      return one;
    }();
    return made;
  }

  UniqueContext server_context_, client_context_;
  UniqueSsl server_, client_;
  BIO* to_server_ = nullptr;
  BIO* to_client_ = nullptr;
};

class KernelKeysOf : public testing::TestWithParam<Suite> {};

TEST_P(KernelKeysOf, GoOnWhereTheLastRecordOfOpenSslEnded) {
  Pair pair(GetParam());
  ASSERT_TRUE(pair.established());
  ASSERT_TRUE(pair.keys);
  for (const size_t size : {size_t{1}, size_t{5000}, size_t{40'000}}) pair.send(std::string(size, 'o'));
  ASSERT_TRUE(pair.keys->advance());
  KernelsPart kernel(pair.keys->parameters());
  pair.inject(kernel.record("by the kernel"));
  EXPECT_EQ(pair.receive(), std::string(45'001, 'o') + "by the kernel");
}

TEST_P(KernelKeysOf, GoOnAfterTheHandshakeAlone) {
  Pair pair(GetParam());
  ASSERT_TRUE(pair.keys && pair.keys->advance());
  pair.inject(KernelsPart(pair.keys->parameters()).record("first"));
  EXPECT_EQ(pair.receive(), "first");
}

TEST_P(KernelKeysOf, AreNotToBeHadInTheMiddleOfARecord) {
  Pair pair(GetParam());
  ASSERT_TRUE(pair.keys);
  const std::string record = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
  for (const char octet : record.substr(0, record.size() - 1)) {
    pair.keys->passed({&octet, 1});
    EXPECT_FALSE(pair.keys->advance());
  }
  pair.keys->passed("x");
  EXPECT_TRUE(pair.keys->advance());
}

INSTANTIATE_TEST_SUITE_P(Suites, KernelKeysOf,
                         testing::Values(Suite{TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
                                         Suite{TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
                                         Suite{TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"},
                                         Suite{TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
                                         Suite{TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384"},
                                         Suite{TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"}));

TEST(KernelKeys, AreNotOfferedForAClientThatWantsShortRecords) {
  Pair pair({TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", TLSEXT_max_fragment_length_2048});
  EXPECT_TRUE(pair.established());
  EXPECT_FALSE(pair.keys);
}

TEST(KernelKeys, OfAnotherCipherAreNotKept) {
  tls12_crypto_info_aes_ccm_128 offered{};
  offered.info = {.version = TLS1_2_VERSION, .cipher_type = TLS_CIPHER_AES_CCM_128};
  EXPECT_FALSE(KernelKeys::copy(&offered, kAll));
}

TEST(KernelKeys, OfACipherThatTheKernelHasNotAreNotKept) {
  tls12_crypto_info_aes_gcm_256 offered{};
  offered.info = {.version = TLS1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_256};
  EXPECT_FALSE(KernelKeys::copy(&offered, {.aes_128_gcm = true, .chacha20_poly1305 = true}));
  EXPECT_TRUE(KernelKeys::copy(&offered, {.aes_256_gcm = true}));
}

TEST(KernelKeys, OfAnotherVersionAreNotKept) {
  tls12_crypto_info_aes_gcm_128 offered{};
  offered.info = {.version = TLS1_1_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128};
  EXPECT_FALSE(KernelKeys::copy(&offered, kAll));
}

}   // namespace
}   // namespace proxyd::tls
