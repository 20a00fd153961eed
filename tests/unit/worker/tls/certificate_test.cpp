#include "worker/tls/certificate.h"

#include <gtest/gtest.h>

namespace proxyd::tls {
namespace {

TEST(NameCovers, AnExactNameIsForThatHostAlone) {
  EXPECT_TRUE(name_covers("a.test", "a.test"));
  EXPECT_FALSE(name_covers("a.test", "b.a.test"));
  EXPECT_FALSE(name_covers("a.test", "a.tes"));
}

TEST(NameCovers, AWildcardStandsForOneLabel_rfc9525_6_3) {
  EXPECT_TRUE(name_covers("*.a.test", "b.a.test"));
  EXPECT_FALSE(name_covers("*.a.test", "a.test"));
  EXPECT_FALSE(name_covers("*.a.test", "c.b.a.test"));
  EXPECT_FALSE(name_covers("*.a.test", ".a.test"));
}

TEST(Certificate, WhatIsNoCertificateIsRefusedWithAReason) {
  const auto made = Certificate::parse("nothing", "nothing", "");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("certificate can't be read"), std::string::npos) << made.error().message;
}

}   // namespace
}   // namespace proxyd::tls
