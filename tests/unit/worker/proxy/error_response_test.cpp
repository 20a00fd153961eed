#include "worker/proxy/error_response.h"

#include <gtest/gtest.h>

namespace proxyd::proxy {
namespace {

using http::FieldName;

class ErrorAnswers : public testing::Test {
 protected:
  bool is_page(std::string_view accept) {
    http::Fields request(arena_);
    if (!accept.empty()) request.add("Accept", accept);
    const ErrorAnswer answer = make_error_answer(503, ProxyError::kConnectionLimit, "", "id", request, nullptr, arena_);
    const bool page = answer.fields.value(FieldName::kContentType).starts_with("text/html");
    EXPECT_EQ(answer.body.starts_with("<!doctype html>"), page);
    EXPECT_EQ(answer.fields.value(FieldName::kProxyStatus), "proxyd; error=connection_limit_reached");
    EXPECT_EQ(answer.fields.value(FieldName::kRetryAfter), "5");
    return page;
  }

 private:
  http::Arena arena_;
};

TEST_F(ErrorAnswers, AreWhatTheClientWouldRatherHave) {
  EXPECT_TRUE(is_page("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
  EXPECT_TRUE(is_page("application/json;q=0.5, text/html"));
  EXPECT_TRUE(is_page("text/*"));
  EXPECT_FALSE(is_page(""));
  EXPECT_FALSE(is_page("*/*"));
  EXPECT_FALSE(is_page("application/json, text/html"));
  EXPECT_FALSE(is_page("application/json, text/html;q=0.9"));
  EXPECT_FALSE(is_page("text/html;q=0"));
  EXPECT_FALSE(is_page("text/html;q=0.000, */*"));
  EXPECT_FALSE(is_page("text/html;level=1;q=0.3, application/problem+json;q=0.31"));
}

}   // namespace
}   // namespace proxyd::proxy
