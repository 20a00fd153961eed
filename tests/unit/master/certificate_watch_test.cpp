#include "master/certificate_watch.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace proxyd::master {
namespace {

using Names = std::vector<std::string>;

// A document of one certificate whose files a test writes, and the clock by which it looks.
class CertificateWatching : public testing::Test {
 protected:
  CertificateWatching() : folder_(::mkdtemp(pattern_)) {
    document_.certificates["www"] = {"www", folder_ + "/www.pem", folder_ + "/www.key", false};
    document_.certificates["put"] = {"put", "", "", true};
    write("www.pem", "chain");
    write("www.key", "key");
  }
  ~CertificateWatching() override { std::filesystem::remove_all(folder_); }

  // In the way of a renewal: the file is another one then.
  void write(const std::string& file, const std::string& content) {
    const std::string path = folder_ + "/" + file;
    std::ofstream(path + ".new") << content;
    std::filesystem::rename(path + ".new", path);
  }
  Names look() { return watch_.due(document_, now_ += std::chrono::seconds(1)); }
  // After the first looks, which read what is there.
  void settle() {
    EXPECT_EQ(look(), Names());
    EXPECT_EQ(look(), Names{"www"});
    EXPECT_EQ(look(), Names());
  }

  char pattern_[32] = "/tmp/proxyd-watch-XXXXXX";
  std::string folder_;
  config::Document document_;
  CertificateWatch watch_;
  Instant now_ = Clock::now();
};

TEST_F(CertificateWatching, ReadsOnceWhatStaysAsItIs) { settle(); }

TEST_F(CertificateWatching, ReadsAgainWhenAnyOfTheFilesIsAnotherAndStayedSoForALook) {
  settle();
  for (const char* file : {"www.pem", "www.key", "www.pem.ocsp"}) {
    write(file, "something else");
    EXPECT_EQ(look(), Names()) << file;
    EXPECT_EQ(look(), Names{"www"}) << file;
    EXPECT_EQ(look(), Names()) << file;
  }
}

TEST_F(CertificateWatching, WaitsWhileARenewalIsUnderWay) {
  settle();
  write("www.pem", "new chain");
  EXPECT_EQ(look(), Names());
  write("www.key", "new key");
  EXPECT_EQ(look(), Names());
  EXPECT_EQ(look(), Names{"www"});
}

TEST_F(CertificateWatching, NoticesThatAFileIsGone) {
  settle();
  std::filesystem::remove(folder_ + "/www.key");
  EXPECT_EQ(look(), Names());
  EXPECT_EQ(look(), Names{"www"});
  EXPECT_EQ(look(), Names());
}

TEST_F(CertificateWatching, ReadsAWrongOneAgainAfterAWhileAndTellsEachFaultOnce) {
  settle();
  EXPECT_TRUE(watch_.note_fault("www", "bad"));
  EXPECT_FALSE(watch_.note_fault("www", "bad"));
  EXPECT_TRUE(watch_.note_fault("www", "worse"));
  for (int second = 0; second < 8; ++second) EXPECT_EQ(look(), Names());
  EXPECT_EQ(look(), Names{"www"});
  EXPECT_EQ(look(), Names());
  watch_.clear_fault("www");
  for (int second = 0; second < 20; ++second) EXPECT_EQ(look(), Names());
}

TEST_F(CertificateWatching, ForgetsWhatTheDocumentDoesNotNameAnyMore) {
  settle();
  watch_.note_fault("www", "bad");
  document_.certificates.erase("www");
  EXPECT_EQ(look(), Names());
  EXPECT_TRUE(watch_.faults().empty());
}

}   // namespace
}   // namespace proxyd::master
