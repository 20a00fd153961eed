#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include "shared/memory/region.h"
#include "shared/memory/sealed_memory.h"

namespace proxyd::memory {
namespace {

UniqueFd copy_of(const Region& region) { return UniqueFd(::dup(region.descriptor())); }
std::atomic<uint64_t>& word(const Region& region) { return *reinterpret_cast<std::atomic<uint64_t>*>(region.data()); }

TEST(Region, IsZeroedAndSharedByAllWhoMapIt) {
  auto region = Region::create("test", 7, 4096);
  ASSERT_TRUE(region);
  for (size_t i = 0; i < region->size(); ++i) ASSERT_EQ(region->data()[i], std::byte{0});
  auto adopted = Region::adopt(copy_of(*region), "test", 7, 4096);
  ASSERT_TRUE(adopted);
  word(*region).store(42);
  EXPECT_EQ(word(*adopted).load(), 42u);
  EXPECT_NE(adopted->data(), region->data());
}

TEST(Region, SharesWordsBetweenThreadsThroughTwoMappings) {
  auto region = Region::create("test", 7, 4096);
  ASSERT_TRUE(region);
  auto adopted = Region::adopt(copy_of(*region), "test", 7, 4096);
  ASSERT_TRUE(adopted);
  std::thread other([&] {
    for (int i = 0; i < 10'000; ++i) word(*adopted).fetch_add(1);
  });
  for (int i = 0; i < 10'000; ++i) word(*region).fetch_add(1);
  other.join();
  EXPECT_EQ(word(*region).load(), 20'000u);
}

TEST(Region, IsAdoptedOnlyWithTheSameNameLayoutAndSize) {
  auto region = Region::create("test", 7, 4096);
  ASSERT_TRUE(region);
  EXPECT_FALSE(Region::adopt(copy_of(*region), "other", 7, 4096));
  EXPECT_FALSE(Region::adopt(copy_of(*region), "test", 8, 4096));
  EXPECT_FALSE(Region::adopt(copy_of(*region), "test", 7, 8192));
  EXPECT_TRUE(Region::adopt(copy_of(*region), "test", 7, 4096));
}

TEST(Region, CannotBeCutOrGrownUnderItsReaders) {
  auto region = Region::create("test", 7, 4096);
  ASSERT_TRUE(region);
  EXPECT_NE(::ftruncate(region->descriptor(), 0), 0);
  EXPECT_NE(::ftruncate(region->descriptor(), 1 << 20), 0);
  EXPECT_NE(::fcntl(region->descriptor(), F_ADD_SEALS, F_SEAL_WRITE), 0);
}

TEST(Region, ThatIsNotSealedIsNotAdopted) {
  UniqueFd open(::memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(open.value(), 8192), 0);
  EXPECT_FALSE(Region::adopt(std::move(open), "test", 7, 4096));
  EXPECT_FALSE(Region::adopt(UniqueFd(::dup(0)), "test", 7, 4096));
}

// How many mappings of this memory the process has, and how many of them no core has (`dd`).
std::pair<int, int> mappings_of(std::string_view name) {
  std::ifstream maps("/proc/self/smaps");
  int all = 0;
  int not_dumped = 0;
  bool ours = false;
  for (std::string line; std::getline(maps, line);) {
    const bool begins = line.find('-') < line.find(' ');
    if (begins) ours = line.find(name) != std::string::npos;
    if (ours && begins) ++all;
    if (ours && line.starts_with("VmFlags:") && line.find(" dd") != std::string::npos) ++not_dumped;
  }
  return {all, not_dumped};
}

TEST(Region, IsInNoCore) {
  auto region = Region::create("undumped", 7, 4096);
  ASSERT_TRUE(region);
  auto adopted = Region::adopt(copy_of(*region), "undumped", 7, 4096);
  ASSERT_TRUE(adopted);
  EXPECT_EQ(mappings_of("memfd:proxyd-undumped"), std::pair(2, 2));
}

TEST(Region, OutlivesAProcessThatDiedWithIt) {
  auto region = Region::create("test", 7, 4096);
  ASSERT_TRUE(region);
  const pid_t child = ::fork();
  if (child == 0) {
    word(*region).store(9);
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(word(*region).load(), 9u);
}

TEST(SealedMemory, GivesBackWhatWasPutIn) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{3} << 20}) {
    const std::string content(size, 'x');
    auto sealed = seal_content("test", content);
    ASSERT_TRUE(sealed);
    auto read = read_sealed(sealed->value(), size);
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, content);
  }
}

TEST(SealedMemory, CannotBeChangedByAnyone) {
  auto sealed = seal_content("test", "content");
  ASSERT_TRUE(sealed);
  EXPECT_EQ(::pwrite(sealed->value(), "x", 1, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_NE(::ftruncate(sealed->value(), 0), 0);
  EXPECT_EQ(::mmap(nullptr, 7, PROT_READ | PROT_WRITE, MAP_SHARED, sealed->value(), 0), MAP_FAILED);
}

TEST(SealedMemory, IsRefusedWhenItCouldChangeOrIsTooLarge) {
  const UniqueFd open(::memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_FALSE(read_sealed(open.value(), 100));
  auto sealed = seal_content("test", "content");
  ASSERT_TRUE(sealed);
  EXPECT_FALSE(read_sealed(sealed->value(), 6));
}

}   // namespace
}   // namespace proxyd::memory
