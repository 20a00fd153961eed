#include "shared/ipc/channel.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "shared/ipc/inheritance.h"

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
  { const Channel gone = std::move(pair->first); }
  EXPECT_EQ(pair->second.receive().error(), ChannelError::kClosed);
}

TEST(Channel, RefusesWhatIsNoMessageOfOurs) {
  auto pair = Channel::make_pair();
  ASSERT_TRUE(pair);
  ASSERT_EQ(::write(pair->first.descriptor(), "nonsense", 8), 8);
  EXPECT_EQ(pair->second.receive().error(), ChannelError::kBroken);
}

TEST(Inheritance, ComesBackAsItWasWritten) {
  const auto read = Inheritance::decode(Inheritance{3, 9, 4, 5, 6, 7}.encode());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->slot, 3u);
  EXPECT_EQ(read->rejects, 7);
  EXPECT_FALSE(Inheritance::decode("slot=1"));
  EXPECT_FALSE(Inheritance::decode("slot=x"));
}

}  // namespace
}  // namespace proxyd::ipc
