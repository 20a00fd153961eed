#include "shared/base/digest.h"

#include <gtest/gtest.h>

#include "shared/base/bytes.h"

namespace proxyd {
namespace {

TEST(Sha256, OfTheVectorsInFips180) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(RandomBytes, DifferFromCallToCall) {
  Sha256 first{};
  Sha256 second{};
  random_bytes(first);
  random_bytes(second);
  EXPECT_NE(first, second);
  EXPECT_NE(first, Sha256{});
}

}   // namespace
}   // namespace proxyd
