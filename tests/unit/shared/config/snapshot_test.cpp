#include "shared/config/snapshot.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shared/memory/sealed_memory.h"

namespace proxyd::config {
namespace {

Snapshot sample() {
  Snapshot snapshot{42, 7, "{\"version\":1}", {}};
  snapshot.materials.targets["app/app1"] = {
      {{"127.0.0.1:80", 3}, {"[::1]:80", 7, 50, true}}, Admission::kMaintenance, 0};
  snapshot.materials.targets["app/app2"] = {{}, Admission::kReady, std::nullopt};
  snapshot.materials.upstreams["app"] = 9;
  snapshot.materials.members["api"]["a"] = {"a", "srv:_http._tcp.api.test", 0, true, 12, std::nullopt};
  snapshot.materials.members["api"]["b"] = {"b", "[::1]:80", 10000, false, std::nullopt, MaybeDuration()};
  snapshot.materials.members["api"]["c"] = {"c", "unix:/c", 100, false, std::nullopt, MaybeDuration(Duration(1500))};
  snapshot.materials.limits["per-ip"] = 4;
  snapshot.materials.certificates["www"] = {"chain\n", "key\n", std::string("\x30\x82\0\xff", 4)};
  snapshot.materials.certificates["api"] = {"chain\n", "key\n", ""};
  snapshot.materials.files["/etc/token"] = "secret \"with\" ünusual\nlines";
  snapshot.materials.closed_hosts["www"] = {1'795'529'885'123};
  snapshot.materials.shares["www/v1"] = {{"a", 95}, {"b", 5}};
  return snapshot;
}

std::string content_of(int descriptor) {
  std::string content(static_cast<size_t>(::lseek(descriptor, 0, SEEK_END)), '\0');
  EXPECT_EQ(::pread(descriptor, content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
  return content;
}

bool is_refused(const std::string& content) {
  auto sealed = memory::seal_content("test", content);
  EXPECT_TRUE(sealed);
  return !unseal(sealed->value()).ok();
}

constexpr size_t kHeaderSize = 80;

TEST(SnapshotMemory, GivesBackEveryPart) {
  auto sealed = seal(sample());
  ASSERT_TRUE(sealed) << sealed.error().message;
  const auto read = unseal(sealed->value());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->revision, 42u);
  EXPECT_EQ(read->epoch, 7u);
  EXPECT_EQ(read->canonical, sample().canonical);
  EXPECT_EQ(read->materials, sample().materials);
}

TEST(SnapshotMemory, CannotBeChangedByAnyoneWhoHoldsIt) {
  auto sealed = seal(sample());
  ASSERT_TRUE(sealed);
  EXPECT_EQ(::pwrite(sealed->value(), "x", 1, 0), -1);
  EXPECT_EQ(::ftruncate(sealed->value(), 1), -1);
}

TEST(SnapshotMemory, IsRefusedWithDamageAtAnyOctetOfItsHeader) {
  auto sealed = seal(sample());
  ASSERT_TRUE(sealed);
  const std::string whole = content_of(sealed->value());
  ASSERT_FALSE(is_refused(whole));
  for (size_t at = 0; at < kHeaderSize; ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_TRUE(is_refused(damaged)) << at;
  }
}

TEST(SnapshotMemory, IsRefusedWithDamageAnywhereBehindItsHeader) {
  auto sealed = seal(sample());
  ASSERT_TRUE(sealed);
  const std::string whole = content_of(sealed->value());
  for (size_t at = kHeaderSize; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_TRUE(is_refused(damaged)) << at;
  }
}

TEST(SnapshotMemory, IsRefusedCutShortOrWithSomethingBehindIt) {
  auto sealed = seal(sample());
  ASSERT_TRUE(sealed);
  const std::string whole = content_of(sealed->value());
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_TRUE(is_refused(whole.substr(0, size))) << size;
  EXPECT_TRUE(is_refused(whole + "x"));
}

TEST(SnapshotMemory, IsRefusedWithoutItsSeals) {
  auto sealed = seal(sample());
  ASSERT_TRUE(sealed);
  const std::string whole = content_of(sealed->value());
  const UniqueFd open(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::pwrite(open.value(), whole.data(), whole.size(), 0), static_cast<ssize_t>(whole.size()));
  EXPECT_FALSE(unseal(open.value()));
}

}   // namespace
}   // namespace proxyd::config
