#include "master/worker_message.h"

#include <gtest/gtest.h>

#include <string>

namespace proxyd::master {
namespace {

bool is_taken(const std::string& body, ipc::MessageType type = ipc::MessageType::kPrepared) {
  ipc::Message message;
  message.type = type;
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

bool is_purge_taken(const std::string& subjects) {
  const std::string body = R"({"mode": "hard", "client": "192.0.2.1", "subjects": )" + subjects + "}";
  return is_taken(body, ipc::MessageType::kPurged);
}

TEST(WorkerMessage, TellsOfAPurgeInAForm) {
  EXPECT_TRUE(is_purge_taken("{}"));
  EXPECT_TRUE(is_purge_taken(R"({"urls": ["a.test/"], "tags": ["x", "y"], "tags_count": 70})"));
  EXPECT_TRUE(is_purge_taken(R"({"ban": {"paths": "/[0-9]+$", "hosts": ["a.test"]}})"));
  EXPECT_TRUE(is_purge_taken(R"({"ban": {"tags": ["x_.*"], "hosts": ["a.test"], "takes": "all of it"}})"));
}

TEST(WorkerMessage, TellsOfAPurgeNothingThatIsDeeperOrLargerThanAWorkerMakesIt) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "[";
  std::string many = "\"x\"";
  for (int i = 0; i < 100; ++i) many += ",\"x\"";
  for (const std::string& subjects :
       {std::string("[]"), std::string("7"), R"({"urls": )" + deep + std::string(100, ']') + "}",
        R"({"urls": [)" + many + "]}", R"({"urls": [")" + std::string(5000, 'x') + "\"]}",
        std::string(R"({"urls": [1]})"), std::string(R"({"ban": {"paths": {"a": {}}}})"),
        std::string(R"({"urls": -1})")})
    EXPECT_FALSE(is_purge_taken(subjects)) << subjects.substr(0, 80);
  EXPECT_FALSE(is_taken(R"({"mode": "hard", "subjects": {}})", ipc::MessageType::kPurged));
  EXPECT_FALSE(is_taken(R"({"mode": 1, "client": "x", "subjects": {}})", ipc::MessageType::kPurged));
  EXPECT_FALSE(is_taken("{}", ipc::MessageType::kPurged));
}

}   // namespace
}   // namespace proxyd::master
