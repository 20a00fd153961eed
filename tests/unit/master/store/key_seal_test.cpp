#include "master/store/key_seal.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace proxyd::store {
namespace {

class KeySealTest : public testing::Test {
 protected:
  KeySealTest() : folder_(::mkdtemp(pattern_)) {}
  ~KeySealTest() override { std::filesystem::remove_all(folder_); }
  KeySeal open() {
    auto opened = KeySeal::open(folder_, KeySeal::Missing::kMake);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    return std::move(*opened);
  }

  char pattern_[32] = "/tmp/proxyd-seal-XXXXXX";
  std::string folder_;
};

TEST_F(KeySealTest, GivesBackWhatItSealedAlsoAfterAReopen) {
  for (const std::string& secret : {std::string(), std::string("key"), std::string(100'000, 'k')}) {
    const std::string sealed = open().seal(secret, "www");
    const auto read = open().unseal(sealed, "www");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, secret);
  }
}

TEST_F(KeySealTest, KeepsItsKeyFromOthersAndMakesItOnce) {
  open();
  struct stat status{};
  ASSERT_EQ(::stat((folder_ + "/certificates.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(status.st_size, 32);
}

TEST_F(KeySealTest, SealsTheSameTwiceInTwoWays) { EXPECT_NE(open().seal("key", "www"), open().seal("key", "www")); }

TEST_F(KeySealTest, RefusesWhatWasSealedAboutAnotherOrUnderAnotherKeyOrIsDamaged) {
  const std::string sealed = open().seal("key", "www");
  EXPECT_FALSE(open().unseal(sealed, "api"));
  EXPECT_FALSE(open().unseal("", "www"));
  EXPECT_FALSE(open().unseal("*", "www"));
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string damaged = sealed;
    damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(open().unseal(damaged, "www")) << i;
  }
  std::filesystem::remove(folder_ + "/certificates.key");
  EXPECT_FALSE(open().unseal(sealed, "www"));
}

TEST_F(KeySealTest, IsNotOpenedWithoutItsKeyOrWithWhatIsNone) {
  EXPECT_FALSE(KeySeal::open(folder_, KeySeal::Missing::kRefuse));
  for (const std::string& content : {std::string("short"), std::string(33, 'x')}) {
    std::ofstream(folder_ + "/certificates.key") << content;
    EXPECT_FALSE(KeySeal::open(folder_, KeySeal::Missing::kMake)) << content;
  }
}

}   // namespace
}   // namespace proxyd::store
