#include "shared/ipc/publication.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "shared/ipc/channel.h"

namespace proxyd::ipc {
namespace {

// A descriptor that can be told from others by its inode.
UniqueFd file() { return UniqueFd(::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)); }

ino_t inode_of(const UniqueFd& descriptor) {
  struct stat status{};
  return ::fstat(descriptor.value(), &status) == 0 ? status.st_ino : 0;
}

Publication make() {
  Publication publication;
  publication.edition = {uint64_t{5} << 32, 7};   // more than an int holds
  publication.snapshot = file();
  publication.sockets.push_back({"http", "0.0.0.0:80", file()});
  publication.sockets.push_back({"http", "[::]:80", file()});
  publication.access_logs.push_back(file());
  publication.error_log = file();
  return publication;
}

TEST(Publication, ArrivesWithEachDescriptorInItsPlace) {
  auto ends = Channel::make_pair();
  ASSERT_TRUE(ends);
  const Publication sent = make();
  ASSERT_TRUE(ends->first.send(sent.message(3)));
  auto message = ends->second.receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->type, MessageType::kPrepare);
  EXPECT_EQ(message->id, 3u);
  const auto got = Publication::of(std::move(*message));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->edition, sent.edition);
  EXPECT_EQ(inode_of(got->snapshot), inode_of(sent.snapshot));
  ASSERT_EQ(got->sockets.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(got->sockets[i].listener, sent.sockets[i].listener);
    EXPECT_EQ(got->sockets[i].address, sent.sockets[i].address);
    EXPECT_EQ(inode_of(got->sockets[i].descriptor), inode_of(sent.sockets[i].descriptor));
  }
  ASSERT_EQ(got->access_logs.size(), 1u);
  EXPECT_EQ(inode_of(got->access_logs[0]), inode_of(sent.access_logs[0]));
  EXPECT_EQ(inode_of(got->error_log), inode_of(sent.error_log));
}

TEST(Publication, WithoutAllItsDescriptorsIsRefused) {
  Message short_of_one = make().message(0);
  short_of_one.descriptors.pop_back();
  EXPECT_FALSE(Publication::of(std::move(short_of_one)));
  Message without_any = make().message(0);
  without_any.descriptors.clear();
  without_any.body = nlohmann::json::object();
  without_any.descriptors_lost = true;
  const auto lost = Publication::of(std::move(without_any));
  ASSERT_FALSE(lost);
  EXPECT_NE(lost.error().message.find("open files"), std::string::npos);
}

TEST(Edition, IsReadAsItWasWritten) {
  const Edition edition{uint64_t{1} << 53, 2};
  EXPECT_EQ(Edition::of(edition.body()), edition);
  EXPECT_EQ(Edition::of(nlohmann::json::object()), Edition{});
}

}   // namespace
}   // namespace proxyd::ipc
