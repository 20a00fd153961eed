#include "master/spawn.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace proxyd::master {
namespace {

// A program of the test's own, as a script: it says what it sees.
class SpawnTest : public testing::Test {
 protected:
  SpawnTest() : folder_(::mkdtemp(pattern_)) {}
  ~SpawnTest() override { std::filesystem::remove_all(folder_); }
  int exit_status(const Spawn::Child& child) {
    int status = -1;
    ::waitpid(child.pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  char pattern_[32] = "/tmp/proxyd-spawn-XXXXXX";
  std::string folder_;
};

TEST_F(SpawnTest, StartsTheBinaryThatWasOpenedThoughAnotherTookItsPlace) {
  const std::string path = folder_ + "/program";
  std::filesystem::copy_file("/bin/true", path);
  auto spawn = Spawn::open(path);
  ASSERT_TRUE(spawn);
  std::filesystem::remove(path);
  std::filesystem::copy_file("/bin/false", path);
  auto child = spawn->start("--inherit", {});
  ASSERT_TRUE(child);
  EXPECT_EQ(exit_status(*child), 0);
}

TEST_F(SpawnTest, GivesEachDescriptorItsNumberWhateverNumbersAreInUse) {
  auto spawn = Spawn::open("/bin/ls");
  ASSERT_TRUE(spawn);
  std::vector<UniqueFd> many;
  for (int i = 0; i < 300; ++i) many.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::string out = folder_ + "/out";
  const UniqueFd output(::open(out.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const UniqueFd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const UniqueFd full(::fcntl(zero.value(), F_DUPFD_CLOEXEC, 18));
  // The numbers of the first are those that a careless copy would overwrite.
  auto child = spawn->start("-l", {{many[200].value(), 4}, {output.value(), 1}, {zero.value(), 3}, {full.value(), 5}});
  ASSERT_TRUE(child);
  EXPECT_EQ(exit_status(*child), 0);
  auto listing = spawn->start("/proc/self/fd", {{output.value(), 1}, {zero.value(), 3}, {many[200].value(), 4}});
  ASSERT_TRUE(listing);
  EXPECT_EQ(exit_status(*listing), 0);
  std::ifstream read(out);
  std::set<std::string> numbers;
  for (std::string line; std::getline(read, line);) {
    if (line.find_first_not_of("0123456789") == std::string::npos && !line.empty()) numbers.insert(line);
  }
  EXPECT_TRUE(numbers.contains("3") && numbers.contains("4"));
  for (const std::string& number : numbers) EXPECT_LE(std::stoi(number), 5) << "a descriptor that was not given";
}

// While a core is written the region's locks and pins of who crashed are nobody's. Whoever wants one raises the limit
// of the running process, which may go as high as before.
TEST_F(SpawnTest, StartsWhatWritesNoCore) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_CORE, &limit), 0);
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_CORE, &raised), 0);
  auto spawn = Spawn::open("/bin/cat");
  ASSERT_TRUE(spawn);
  const std::string out = folder_ + "/out";
  const UniqueFd output(::open(out.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  auto child = spawn->start("/proc/self/limits", {{output.value(), 1}});
  ASSERT_TRUE(child);
  EXPECT_EQ(exit_status(*child), 0);
  ::setrlimit(RLIMIT_CORE, &limit);
  std::ifstream read(out);
  std::string line;
  while (std::getline(read, line) && !line.starts_with("Max core file size")) {
  }
  std::istringstream words(line.substr(std::min(line.size(), std::string_view("Max core file size").size())));
  std::string soft;
  std::string hard;
  words >> soft >> hard;
  EXPECT_EQ(soft, "0");
  EXPECT_EQ(hard, limit.rlim_max == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_max));
}

TEST_F(SpawnTest, FailsNamingABinaryThatIsNotThere) {
  const auto spawn = Spawn::open(folder_ + "/nothing");
  ASSERT_FALSE(spawn);
  EXPECT_NE(spawn.error().message.find(folder_ + "/nothing"), std::string::npos);
}

}   // namespace
}   // namespace proxyd::master
