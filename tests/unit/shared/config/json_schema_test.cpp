#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "shared/config/decode.h"
#include "tests/unit/shared/config/generated_document.h"

namespace proxyd::config {
namespace {

const std::string kSource = PROXYD_SOURCE_DIR;

// A folder that goes with the test.
class Folder {
 public:
  Folder() : path_(::mkdtemp(pattern_)) {}
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const Json& json) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path) << json.dump();
    return path;
  }

 private:
  char pattern_[32] = "/tmp/proxyd-schema-XXXXXX";
  std::string path_;
};

Json example(const std::string& name) {
  std::ifstream file(kSource + "/etc/examples/" + name);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const Decoded decoded = decode(text, Format::kYaml);
  EXPECT_TRUE(decoded.valid()) << name << (decoded.valid() ? "" : decoded.problems.front().message);
  return decoded.canonical;
}

Json route(const Json& more) {
  Json made{{"name", "r"}};
  made.update(more);
  return {{"version", 1}, {"hosts", {{"h", {{"names", {"a.test"}}, {"routes", Json::array({made})}}}}}};
}

Json policy(const Json& rules) { return {{"version", 1}, {"cache_policies", {{"p", rules}}}}; }

TEST(JsonSchema, IsTakenByAnIndependentValidatorWhichAgreesWithTheDecoder) {
  Json valid = Json::array();
  for (const char* name : {"reverse-proxy.yaml", "several-hosts.yaml", "cached-site.yaml", "everything.yaml"}) {
    valid.push_back(example(name));
    valid.push_back(expanded(example(name)));
  }
  for (uint32_t seed = 1; seed <= 50; ++seed) valid.push_back(generated_document(seed));
  const Json invalid = Json::array({
      Json::object(),
      Json{{"version", 2}},
      Json{{"version", 1}, {"hots", Json::object()}},
      Json{{"version", 1}, {"rate_limits", {{"r", Json::object()}}}},
      Json{{"version", 1}, {"defaults", {{"rate_limit", Json::array()}}}},
      Json{{"version", 1}, {"cache", {{"memory", "off"}}}},
      policy({{"default_ttl", {{"600", "1s"}}}}),
      policy({{"store_set_cookie", true}}),
      policy({{"store_set_cookie", "false"}}),
      policy({{"methods", Json::array()}}),
      policy({{"heuristic", true}}),
      Json{{"version", 1}, {"defaults", {{"timeouts", {{"connect", 30}}}}}},
      Json{{"version", 1}, {"defaults", {{"timeouts", {{"connect", "30"}}}}}},
      Json{{"version", 1}, {"defaults", {{"limits", {{"request_body", "1MB"}}}}}},
      Json{{"version", 1}, {"upstreams", {{"a b", Json::object()}}}},
      Json{{"version", 1}, {"upstreams", {{"u", {{"balance", "ip_hash"}}}}}},
      Json{{"version", 1}, {"upstreams", {{"u", {{"balance", nullptr}}}}}},
      Json{{"version", 1}, {"listeners", {{"l", {{"addresses", Json::array()}}}}}},
      Json{{"version", 1}, {"listeners", {{"l", {{"address", ":1"}, {"protocols", Json::array({"h3"})}}}}}},
      Json{{"version", 1}, {"certificates", {{"c", {{"private_key", "x"}}}}}},
      route({{"ready", "yes"}}),
      route({{"redirect", Json::object()}}),
      route({{"match", {{"header", {{"X", {{"absent", false}}}}}}}}),
      route({{"headers", {{"request", {{"set", {{"X", {{"file", 1}}}}}}}}}}),
  });
  for (const auto& document : invalid) EXPECT_FALSE(decode(document).valid()) << document.dump();
  const Folder folder;
  const std::string command = "/usr/bin/python3 " + kSource + "/tests/lint/validate_schema.py " +
                              folder.write("schema", json_schema()) + " " + folder.write("valid", valid) + " " +
                              folder.write("invalid", invalid);
  EXPECT_EQ(::system(command.c_str()), 0) << command;
}

TEST(JsonSchema, SaysWhatEachKeyOfDefaultsMeansAndWhatItIsWithout) {
  const Json schema = json_schema();
  const auto connect =
      nlohmann::json_pointer<std::string>("/properties/defaults/properties/timeouts/anyOf/0/properties/connect");
  ASSERT_TRUE(schema.contains(connect)) << schema.dump(1);
  EXPECT_EQ(schema[connect]["default"], "2s");
  EXPECT_EQ(schema[connect]["description"], "a connection to a target");
}

}   // namespace
}   // namespace proxyd::config
