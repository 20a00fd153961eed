#include "worker/proxy/access_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace proxyd::proxy {
namespace {

const std::vector<std::string> kRedact = {"token", "key"};

std::string json_line(const AccessRecord& record) {
  std::string line;
  append_json(line, record, kRedact);
  return line;
}

TEST(AccessRecord, AsJsonIsOneValidLineWhateverCameIn) {
  std::string nasty;
  for (int c = 0; c < 256; ++c) nasty += static_cast<char>(c);
  const std::string line = json_line(
      {.method = nasty, .path = nasty, .query = nasty, .referer = nasty, .user_agent = nasty, .error = nasty});
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_TRUE(std::all_of(line.begin(), line.end() - 1, [](char c) { return c >= 0x20 && c < 0x7F; }));
  EXPECT_EQ(nlohmann::json::parse(line)["path"].get<std::string>().size(),
            128u + 2 * 128u);   // U+0080 to U+00FF in UTF-8
}

TEST(AccessRecord, HidesSecretsInQueryAndReferer) {
  const auto line = nlohmann::json::parse(
      json_line({.query = "a=1&token=s1&TOKEN=s2&%74o%6Ben=s3&tokens=x&key", .referer = "http://a.test/x?key=s4&b=2"}));
  EXPECT_EQ(line["query"], "a=1&token=REDACTED&TOKEN=REDACTED&%74o%6Ben=REDACTED&tokens=x&key");
  EXPECT_EQ(line["referer"], "http://a.test/x?key=REDACTED&b=2");
  std::string combined;
  append_combined(combined, {.method = "GET", .path = "/", .query = "token=s1", .referer = "?key=s2"}, kRedact);
  EXPECT_EQ(combined.find("s1"), std::string::npos);
  EXPECT_EQ(combined.find("s2"), std::string::npos);
}

TEST(AccessRecord, InTheCombinedFormatKeepsItsQuotes) {
  std::string line;
  append_combined(line,
                  {.time_ms = 1'000'000'000'000,
                   .client = "192.0.2.1",
                   .method = "GET",
                   .path = "/a\"b",
                   .user_agent = "x\\\"y\n",
                   .status = 200,
                   .bytes_out = 7},
                  {});
  EXPECT_EQ(line,
            "192.0.2.1 - - [09/Sep/2001:01:46:40 +0000] \"GET /a\\\"b HTTP/1.1\" 200 7 \"-\" \"x\\\\\\\"y\\x0a\"\n");
}

class AccessLogSink : public testing::Test {
 protected:
  AccessLogSink() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    read_ = UniqueFd(ends[0]);
    ::fcntl(read_.value(), F_SETFL, O_NONBLOCK);
    write_ = UniqueFd(ends[1]);
    logging_.access.emplace_back();
    logging_.access[0].unless_paths = {"/health"};
  }
  std::string read_all() {
    std::string all;
    char some[65536];
    for (ssize_t got; (got = ::read(read_.value(), some, sizeof some)) > 0;) all.append(some, static_cast<size_t>(got));
    return all;
  }
  UniqueFd read_, write_;
  config::Logging logging_;
  std::atomic<uint64_t> dropped_ = 0;
};

TEST_F(AccessLogSink, LeavesOutWhatIsNotLogged) {
  std::vector<UniqueFd> sinks;
  sinks.push_back(std::move(write_));
  AccessLog log(logging_, std::move(sinks), metrics::Cell(&dropped_));
  log.append({.path = "/health"});
  log.append({.path = "/other"});
  log.flush();
  const std::string text = read_all();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST_F(AccessLogSink, ThatBlocksLosesCountedLinesAndNeverStopsAnyone) {
  std::vector<UniqueFd> sinks;
  sinks.push_back(std::move(write_));   // a pipe that blocks, with nobody reading
  AccessLog log(logging_, std::move(sinks), metrics::Cell(&dropped_));
  const std::string path(5000, 'p');
  constexpr size_t kLines = 200;
  for (size_t i = 0; i < kLines; ++i) log.append({.path = path});
  EXPECT_GT(dropped_.load(), 0u);
  std::string text;
  for (int i = 0; i < 100; ++i) {
    log.flush();
    text += read_all();
  }
  EXPECT_EQ(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + dropped_.load(), kLines);
}

TEST_F(AccessLogSink, TakesALineLongerThanOneWrite) {
  char name[] = "/tmp/access-log-test-XXXXXX";
  UniqueFd file(::mkstemp(name));
  ::unlink(name);
  std::vector<UniqueFd> sinks;
  sinks.push_back(UniqueFd(::dup(file.value())));
  AccessLog log(logging_, std::move(sinks), metrics::Cell(&dropped_));
  const std::string agent(30'000, '\xFF');   // six characters each
  log.append({.path = "/first"});
  log.append({.path = "/second", .user_agent = agent});
  log.append({.path = "/third"});
  log.flush();
  EXPECT_EQ(dropped_.load(), 0u);
  EXPECT_GT(::lseek(file.value(), 0, SEEK_END), 180'000);
}

}   // namespace
}   // namespace proxyd::proxy
