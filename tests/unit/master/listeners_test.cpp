#include "master/listeners.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

namespace proxyd::master {
namespace {

namespace fs = std::filesystem;

UniqueFd unix_socket() { return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

sockaddr_un named(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

UniqueFd listening(const fs::path& path) {
  UniqueFd socket = unix_socket();
  const sockaddr_un address = named(path);
  EXPECT_EQ(::bind(socket.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(socket.value(), 0), 0);
  return socket;
}

bool connects(const UniqueFd& socket, const fs::path& path) {
  const sockaddr_un address = named(path);
  return ::connect(socket.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

class UnixListeners : public testing::Test {
 protected:
  UnixListeners() {
    std::string name = testing::TempDir() + "listeners-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~UnixListeners() override { fs::remove_all(folder_); }

  auto prepare(const fs::path& path, Purpose purpose = Purpose::kServing) {
    const config::Listener listener{.name = "main", .addresses = {"unix:" + path.string()}};
    return listeners_.prepare({{"main", listener}}, milliseconds(0), purpose);
  }
  static ino_t number_of(const fs::path& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
  }

  fs::path folder_;
  Log log_{2, "test"};
  Listeners listeners_{log_};
};

TEST_F(UnixListeners, AFileThatIsNoSocketIsLeftAloneAndNamed) {
  const fs::path file = folder_ / "precious";
  std::ofstream(file) << "content";
  for (const Purpose purpose : {Purpose::kServing, Purpose::kRehearsal}) {
    const auto prepared = prepare(file, purpose);
    ASSERT_FALSE(prepared);
    EXPECT_NE(prepared.error().message.find(file.string()), std::string::npos);
    listeners_.discard();
  }
  std::string content;
  std::ifstream(file) >> content;
  EXPECT_EQ(content, "content");
}

TEST_F(UnixListeners, ASocketLeftBehindIsReplacedWhenItIsToServeAndNotInARehearsal) {
  const fs::path path = folder_ / "sock";
  (void)listening(path);   // closed at once: the file stays
  const ino_t number = number_of(path);
  ASSERT_TRUE(prepare(path, Purpose::kRehearsal));
  listeners_.discard();
  EXPECT_EQ(number_of(path), number);
  ASSERT_TRUE(prepare(path));
  listeners_.commit();
  EXPECT_TRUE(connects(unix_socket(), path));
  listeners_.close();
  EXPECT_EQ(number_of(path), 0u);
}

TEST_F(UnixListeners, ASocketWhoseBacklogIsFullIsInUse) {
  const fs::path path = folder_ / "sock";
  const UniqueFd other = listening(path);
  std::vector<UniqueFd> waiting;
  do {
    waiting.push_back(unix_socket());
  } while (connects(waiting.back(), path));
  ASSERT_EQ(errno, EAGAIN);
  const ino_t number = number_of(path);
  const auto prepared = prepare(path);
  ASSERT_FALSE(prepared);
  EXPECT_NE(prepared.error().message.find(std::strerror(EADDRINUSE)), std::string::npos) << prepared.error().message;
  EXPECT_EQ(number_of(path), number);
}

}   // namespace
}   // namespace proxyd::master
