#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace proxyd::master {

// What tests/support/certificates.py makes for the tests of this folder, once: files in a folder that goes at the end.
class MadeCertificates {
 public:
  static const MadeCertificates& all() {
    static const MadeCertificates made;
    return made;
  }
  MadeCertificates(const MadeCertificates&) = delete;
  MadeCertificates& operator=(const MadeCertificates&) = delete;
  ~MadeCertificates() { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string content(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    EXPECT_TRUE(file) << name;
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  MadeCertificates() : folder_(::mkdtemp(pattern_)) {
    const std::string source = PROXYD_SOURCE_DIR;
    const std::string command =
        "/usr/bin/python3 " + source + "/tests/unit/master/certificates/make_certificates.py " + folder_;
    EXPECT_EQ(::system(command.c_str()), 0) << command;
  }

  char pattern_[32] = "/tmp/proxyd-made-XXXXXX";
  std::string folder_;
};

}   // namespace proxyd::master
