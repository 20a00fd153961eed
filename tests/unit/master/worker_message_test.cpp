#include "master/worker_message.h"

#include <gtest/gtest.h>

namespace proxyd::master {
namespace {

bool is_taken(const char* body) {
  ipc::Message message;
  message.type = ipc::MessageType::kPrepared;
  message.body = nlohmann::json::parse(body);
  return is_well_formed(message);
}

TEST(WorkerMessage, HasABodyWhoseKnownKeysAreOfTheirTypes) {
  EXPECT_TRUE(is_taken("{}"));
  EXPECT_TRUE(is_taken(R"({"revision": 1, "epoch": 2, "pointer": "/a", "text": "b", "more": []})"));
}

TEST(WorkerMessage, OfAnyOtherFormIsRefused) {
  for (const char* body : {"[]", "7", "\"text\"", "null", R"({"revision": "x"})", R"({"revision": -1})",
                           R"({"epoch": null})", R"({"pointer": 1})", R"({"text": {}})"})
    EXPECT_FALSE(is_taken(body)) << body;
}

}   // namespace
}   // namespace proxyd::master
