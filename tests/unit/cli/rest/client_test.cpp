#include "cli/rest/client.h"

#include <gtest/gtest.h>

namespace proxyd::cli {
namespace {

Exit exit_of_status(int status) { return exit_of({status, "", "", "", ""}); }

TEST(ExitCodes, AreThoseOfTheInterface) {
  EXPECT_EQ(exit_of_status(200), Exit::kOk);
  EXPECT_EQ(exit_of_status(202), Exit::kOk);
  EXPECT_EQ(exit_of_status(401), Exit::kNotAllowed);
  EXPECT_EQ(exit_of_status(403), Exit::kNotAllowed);
  EXPECT_EQ(exit_of_status(404), Exit::kNotFound);
  EXPECT_EQ(exit_of_status(409), Exit::kConflict);
  EXPECT_EQ(exit_of_status(412), Exit::kConflict);
  EXPECT_EQ(exit_of_status(422), Exit::kInvalid);
  EXPECT_EQ(exit_of_status(500), Exit::kServerFailed);
}

TEST(Encoded, LeavesNothingThatWouldEndASegmentOrAValue) {
  EXPECT_EQ(encoded("app-1.a_b~"), "app-1.a_b~");
  EXPECT_EQ(encoded("a/b?c#d%e&f=g h"), "a%2Fb%3Fc%23d%25e%26f%3Dg%20h");
}

TEST(Addresses, NameASocketOrAnHttpUrl) {
  for (const char* good : {"unix:/run/proxyd/admin.sock", "http://127.0.0.1:9191", "https://proxy.example:9191"})
    EXPECT_EQ(fault_in_address(good), "") << good;
  for (const char* wrong : {"", "127.0.0.1:9191", "ftp://a.test", "http://"})
    EXPECT_NE(fault_in_address(wrong), "") << wrong;
}

}   // namespace
}   // namespace proxyd::cli
