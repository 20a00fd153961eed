#include "master/value_files.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace proxyd::master {
namespace {

// A file that goes with the test.
class File {
 public:
  explicit File(const std::string& content) : folder_(::mkdtemp(pattern_)), path_(folder_ + "/value") {
    std::ofstream(path_) << content;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::filesystem::remove_all(folder_); }
  const std::string& path() const { return path_; }

 private:
  char pattern_[32] = "/tmp/proxyd-value-XXXXXX";
  std::string folder_;
  std::string path_;
};

config::Document with_token(const std::string& path) {
  config::Host host{.name = "h"};
  host.purge = config::Purge{.token_file = path};
  config::Document document;
  document.hosts.emplace("h", host);
  return document;
}

TEST(ValueFiles, HoldTheTokenOfAPurge) {
  const File file("secret\n");
  const auto values = read_value_files(with_token(file.path()));
  ASSERT_TRUE(values) << values.error().message;
  EXPECT_EQ(values->at(file.path()), "secret");
}

TEST(ValueFiles, OfATokenAreNotEmptyAndAreThere) {
  const File file("\n");
  for (const std::string& path : {file.path(), std::string("/nowhere/token")}) {
    const auto values = read_value_files(with_token(path));
    ASSERT_FALSE(values) << path;
    EXPECT_EQ(values.error().pointer, "/hosts/h/purge/token_file");
    EXPECT_NE(values.error().message.find(path), std::string::npos) << values.error().message;
  }
}

}   // namespace
}   // namespace proxyd::master
