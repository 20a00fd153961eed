#include "worker/http/refusal.h"

#include <gtest/gtest.h>

#include <set>

#include "shared/metrics/reject_reasons.h"

namespace proxyd::http {
namespace {

using Words = std::set<std::string_view>;

Words words(Refusal first, Refusal last) {
  Words all;
  for (auto i = static_cast<size_t>(first); i <= static_cast<size_t>(last); ++i)
    all.insert(to_string(static_cast<Refusal>(i)));
  return all;
}

// A word that only one side knows would be counted nowhere.
TEST(RejectReasons, AreTheWordsOfRefusals) {
  using metrics::kRejectReasons;
  using metrics::kResponseReasons;
  EXPECT_EQ(words(Refusal::kRequestLine, Refusal::kProxyProtocol), Words(kRejectReasons.begin(), kRejectReasons.end()));
  EXPECT_EQ(words(Refusal::kStatusLine, Refusal::kHttp2Connection),
            Words(kResponseReasons.begin(), kResponseReasons.end()));
  EXPECT_EQ(words(kFirstOfHttp2, Refusal::kInterimMany),
            Words(metrics::kHttp2RejectReasons.begin(), metrics::kHttp2RejectReasons.end()));
  EXPECT_EQ(static_cast<size_t>(Refusal::kInterimMany) + 1, kRefusalCount);
}

}   // namespace
}   // namespace proxyd::http
