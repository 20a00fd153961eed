#include "shared/base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "shared/base/unique_fd.h"

namespace proxyd {
namespace {

class LogTest : public testing::Test {
 protected:
  LogTest() {
    int ends[2];
    if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) std::abort();
    reader_ = UniqueFd(ends[0]);
    writer_ = UniqueFd(ends[1]);
    log_.set_descriptor(writer_.value());
  }
  // What was written since the last look.
  std::string written() const {
    std::array<char, 16384> room;
    const ssize_t got = ::read(reader_.value(), room.data(), room.size());
    return got > 0 ? std::string(room.data(), static_cast<size_t>(got)) : std::string();
  }

  UniqueFd reader_;
  UniqueFd writer_;
  Log log_{-1, "test"};
};

TEST_F(LogTest, WritesALineWithTimeLevelAndProcess) {
  log_.warning("{} of {}", 2, "three");
  const std::string line = written();
  EXPECT_TRUE(line.ends_with(fmt::format("Z warning test[{}]: 2 of three\n", ::getpid()))) << line;
}

TEST_F(LogTest, LeavesOutWhatIsBelowItsLevel) {
  log_.debug("a");
  EXPECT_EQ(written(), "");
  log_.set_level(LogLevel::kError);
  log_.warning("b");
  EXPECT_EQ(written(), "");
  log_.error("c");
  EXPECT_TRUE(written().ends_with(": c\n"));
}

TEST_F(LogTest, EscapesWhatWouldForgeALine) {
  log_.error("{}", "GET /\r\n2026 error forged\x1b[2J\x7f");
  const std::string line = written();
  EXPECT_TRUE(line.ends_with("GET /\\x0d\\x0a2026 error forged\\x1b[2J\\x7f\n")) << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST_F(LogTest, CutsALineThatIsTooLong) {
  log_.error("{}", std::string(100'000, 'x'));
  const std::string line = written();
  EXPECT_LE(line.size(), 4096u);
  EXPECT_TRUE(line.ends_with("x...\n"));
}

TEST_F(LogTest, LosesALineRatherThanWait) {
  for (int i = 0; i < 100; ++i) log_.error("{}", std::string(4000, 'x'));   // more than a pipe holds
  while (!written().empty()) {
  }
  log_.error("later");
  EXPECT_TRUE(written().ends_with(": later\n"));
}

TEST(LogLevels, HaveTheNamesOfTheDocument) {
  for (const char* name : {"debug", "info", "warning", "error"}) EXPECT_EQ(to_string(*log_level_from(name)), name);
  EXPECT_FALSE(log_level_from("Info"));
  EXPECT_FALSE(log_level_from(""));
}

}   // namespace
}   // namespace proxyd
