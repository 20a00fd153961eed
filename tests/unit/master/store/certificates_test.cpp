#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "master/store/sqlite_store.h"
#include "shared/base/unique_fd.h"

namespace proxyd::store {
namespace {

class UploadedCertificates : public testing::Test {
 protected:
  UploadedCertificates() : folder_(::mkdtemp(pattern_)) {}
  ~UploadedCertificates() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<SqliteStore> open() {
    auto opened = SqliteStore::open(folder_, log_);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    return opened ? std::move(*opened) : nullptr;
  }

  char pattern_[32] = "/tmp/proxyd-store-XXXXXX";
  std::string folder_;
  UniqueFd nowhere_{::open("/dev/null", O_WRONLY)};
  Log log_{nowhere_.value(), "test"};
};

TEST_F(UploadedCertificates, AreKeptOverAReopenAndReplacedByTheirName) {
  ASSERT_TRUE(open()->put_certificate({"www", "chain", "sealed", "2026-01-01T00:00:00.000Z", "somebody"}));
  ASSERT_TRUE(open()->put_certificate({"www", "chain 2", "sealed 2", "2026-01-02T00:00:00.000Z", "another"}));
  ASSERT_TRUE(open()->put_certificate({"api", "chain", "sealed", "2026-01-01T00:00:00.000Z", "somebody"}));
  const auto store = open();
  EXPECT_EQ(*store->certificate_names(), (std::vector<std::string>{"api", "www"}));
  const auto read = store->certificate("www");
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->chain, "chain 2");
  EXPECT_EQ((*read)->sealed_key, "sealed 2");
  EXPECT_EQ((*read)->author, "another");
}

TEST_F(UploadedCertificates, ThatWereRemovedAreGone) {
  const auto store = open();
  ASSERT_TRUE(store->put_certificate({"www", "chain", "sealed", "", ""}));
  EXPECT_TRUE(*store->remove_certificate("www"));
  EXPECT_FALSE(*store->remove_certificate("www"));
  EXPECT_FALSE(*store->certificate("www"));
  EXPECT_TRUE(store->certificate_names()->empty());
}

}   // namespace
}   // namespace proxyd::store
