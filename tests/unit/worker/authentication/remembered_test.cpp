#include "worker/authentication/remembered.h"

#include <gtest/gtest.h>

#include <string>

namespace proxyd::authentication {
namespace {

const Instant kNow = Instant(std::chrono::hours(1));

TEST(Remembered, tells_right_from_wrong_until_it_is_over) {
  Remembered remembered;
  const Sha256 one = remembered.digest_of({}, "one");
  const Sha256 two = remembered.digest_of({}, "two");
  EXPECT_EQ(remembered.find(one, kNow), std::nullopt);
  remembered.keep(one, true, kNow + milliseconds(10));
  remembered.keep(two, false, kNow + milliseconds(20));
  EXPECT_EQ(remembered.find(one, kNow), true);
  EXPECT_EQ(remembered.find(two, kNow + milliseconds(19)), false);
  EXPECT_EQ(remembered.find(one, kNow + milliseconds(10)), std::nullopt);
}

TEST(Remembered, knows_credentials_for_what_they_were_shown_for_alone) {
  Remembered remembered;
  Remembered other;
  EXPECT_NE(remembered.digest_of({}, "one"), remembered.digest_of({1}, "one"));
  EXPECT_EQ(remembered.digest_of({1}, "one"), remembered.digest_of({1}, "one"));
  EXPECT_NE(remembered.digest_of({}, "one"), other.digest_of({}, "one")) << "each process has a key of its own";
}

TEST(Remembered, is_bounded_and_guesses_push_out_guesses_alone) {
  Remembered remembered;
  const Sha256 right = remembered.digest_of({}, "right");
  remembered.keep(right, true, kNow + milliseconds(1));
  int known = 0;
  for (int i = 0; i < 20000; ++i)
    remembered.keep(remembered.digest_of({}, std::to_string(i)), false, kNow + milliseconds(1000));
  for (int i = 0; i < 20000; ++i)
    known += remembered.find(remembered.digest_of({}, std::to_string(i)), kNow) == false ? 1 : 0;
  EXPECT_LE(known, 1024);
  EXPECT_GT(known, 900);
  EXPECT_EQ(remembered.find(right, kNow), true);
}

}   // namespace
}   // namespace proxyd::authentication
