#include "shared/base/kernel_tls.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace proxyd {
namespace {

bool is_listed() {
  std::ifstream list("/proc/sys/net/ipv4/tcp_available_ulp");
  for (std::string name; list >> name;) {
    if (name == "tls") return true;
  }
  return false;
}

TEST(KernelTls, TheProbeSaysWhatTheKernelListsOnceItWasAsked) {
  const bool has = kernel_tls_ciphers().any();
  EXPECT_EQ(has, is_listed());
  EXPECT_EQ(has, kernel_tls_ciphers().any());
}

}   // namespace
}   // namespace proxyd
