#include "shared/ipc/channel.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace proxyd::ipc {
namespace {

Message make(nlohmann::json body) {
  Message message;
  message.type = MessageType::kAsk;
  message.id = 7;
  message.body = std::move(body);
  return message;
}

TEST(Channel, CarriesDescriptorsAndBodiesOfAnySize) {
  auto pair = Channel::make_pair();
  ASSERT_TRUE(pair);
  for (const size_t size : {size_t{10}, size_t{1} << 20}) {
    Message message = make({{"text", std::string(size, 'x')}});
    message.descriptors.emplace_back(::dup(0));
    ASSERT_TRUE(pair->first.send(std::move(message)));
    auto received = pair->second.receive();
    ASSERT_TRUE(received);
    EXPECT_EQ(received->id, 7u);
    EXPECT_EQ(received->body["text"].get<std::string>().size(), size);
    EXPECT_EQ(received->descriptors.size(), 1u);
  }
}

TEST(Channel, TellsAnEmptyChannelFromAClosedOne) {
  auto pair = Channel::make_pair();
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->second.receive().error(), ChannelError::kWouldBlock);
  {
    const Channel gone = std::move(pair->first);
  }
  EXPECT_EQ(pair->second.receive().error(), ChannelError::kClosed);
}

TEST(Channel, RefusesWhatIsNoMessageOfOurs) {
  auto pair = Channel::make_pair();
  ASSERT_TRUE(pair);
  ASSERT_EQ(::write(pair->first.descriptor(), "nonsense", 8), 8);
  EXPECT_EQ(pair->second.receive().error(), ChannelError::kBroken);
}

TEST(Channel, SaysSoWhenThereIsNoRoomForTheDescriptors) {
  auto pair = Channel::make_pair();
  ASSERT_TRUE(pair);
  Message message = make({{"text", "x"}});
  for (int i = 0; i < 4; ++i) message.descriptors.emplace_back(::dup(0));
  ASSERT_TRUE(pair->first.send(std::move(message)));
  rlimit former{};
  ::getrlimit(RLIMIT_NOFILE, &former);
  const int highest = ::dup(0);
  ::close(highest);
  const rlimit tight{static_cast<rlim_t>(highest) + 2, former.rlim_max};   // room for two more
  ::setrlimit(RLIMIT_NOFILE, &tight);
  auto received = pair->second.receive();
  ::setrlimit(RLIMIT_NOFILE, &former);
  ASSERT_TRUE(received);
  EXPECT_TRUE(received->descriptors_lost);
  EXPECT_TRUE(received->descriptors.empty());
  EXPECT_EQ(received->id, 7u);
  EXPECT_EQ(::dup(0), highest) << "a descriptor stayed open";
  ::close(highest);
  ASSERT_TRUE(pair->first.send(make({{"text", "next"}})));
  EXPECT_EQ(pair->second.receive()->body["text"], "next");
}

}   // namespace
}   // namespace proxyd::ipc
