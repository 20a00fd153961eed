#include "worker/control.h"

#include <unistd.h>
#include <csignal>

#include "shared/base/bytes.h"
#include "worker/cache_lookup.h"
#include "worker/explain.h"
#include "worker/purge_subjects.h"
#include "worker/stored_objects.h"
#include "worker/upstream/prober.h"

namespace proxyd::worker {
namespace {

using ipc::ChannelError;
using ipc::MessageType;

constexpr auto kOrphanGrace = milliseconds(10'000);

// A check and what came of it, for people.
nlohmann::json describe(const upstream::CheckResult& result, const upstream::CheckRules& rules,
                        const upstream::Member& member) {
  nlohmann::json told{{"address", member.probe->where()},
                      {"asked", upstream::described(rules)},
                      {"passed", result.finding == status::Finding::kOk},
                      {"finding", status::to_string(result.finding)},
                      {"took_us", result.took.count()}};
  if (result.status != 0) told["status"] = result.status;
  if (!result.content.empty() && is_utf8(result.content)) told["content"] = result.content;
  return told;
}

nlohmann::json no_configuration() { return {{"error", "this worker has no configuration yet"}}; }

}   // namespace

Control::Control(Worker& worker, ipc::Channel channel, const ipc::Inheritance& inheritance)
    : Wakeup([](Wakeup& self) { static_cast<Control&>(self).receive(); }),
      worker_(worker),
      channel_(std::move(channel)),
      inheritance_(inheritance) {
  worker_.loop().watch_level(channel_.descriptor(), *this, false);
  worker_.on_purge([this](nlohmann::json record) { send(MessageType::kPurged, 0, std::move(record)); });
}

void Control::say_hello() {
  send(MessageType::kHello, 0,
       {{"slot", inheritance_.slot}, {"incarnation", inheritance_.incarnation}, {"pid", ::getpid()}});
}

void Control::send(MessageType type, uint64_t id, nlohmann::json body) {
  ipc::Message message;
  message.type = type;
  message.id = id;
  message.body = std::move(body);
  const auto sent = channel_.send(std::move(message));
  if (!sent && sent.error() != ChannelError::kClosed) worker_.log().error("a message to the master was lost");
}

void Control::receive() {
  for (;;) {
    auto message = channel_.receive();
    if (message) {
      obey(std::move(*message));
      continue;
    }
    if (message.error() == ChannelError::kWouldBlock) return;
    return master_gone();
  }
}

// No signal of a terminal or of a service manager is ours while the master lives; now TERM is.
void Control::master_gone() {
  worker_.loop().unwatch_level(channel_.descriptor());
  std::signal(SIGTERM, SIG_DFL);
  prepared_.reset();   // with the sockets that came along: nobody may hold an address that a new master wants
  worker_.log().warning("the master has gone: finishing what runs, at most 10 s");
  worker_.drain(Deadline::at(worker_.loop().now() + kOrphanGrace));
}

void Control::obey(ipc::Message message) {
  switch (message.type) {
    case MessageType::kPrepare: return prepare(std::move(message));
    case MessageType::kActivate: return activate(message);
    case MessageType::kDiscard: return prepared_.reset();
    case MessageType::kDrain:
      return worker_.drain(
          Deadline::at(worker_.loop().now() + milliseconds(message.body.value("deadline_ms", 10'000))));
    case MessageType::kStop: return worker_.stop();
    case MessageType::kLookAtListeners: return worker_.look_at_listeners();
    case MessageType::kAsk: return answer(message);
    case MessageType::kLogLevel:
      if (const auto level = log_level_from(message.body.value("level", ""))) worker_.log().set_level(*level);
      return;
    case MessageType::kCut:
      if (const auto row = message.body.find("row"); row != message.body.end()) worker_.cut(row->get<uint32_t>());
      return;
    default:
      worker_.log().error("message {} of the master is unknown to this build", static_cast<uint32_t>(message.type));
  }
}

void Control::prepare(ipc::Message message) {
  const uint64_t id = message.id;
  const nlohmann::json edition = ipc::Edition::of(message.body).body();
  const auto refuse = [&](const std::string& pointer, const std::string& text) {
    nlohmann::json reply = edition;
    reply["pointer"] = pointer;
    reply["text"] = text;
    send(MessageType::kRefused, id, std::move(reply));
  };
  auto given = ipc::Publication::of(std::move(message));
  if (!given) return refuse("", given.error().message);
  auto snapshot = config::unseal(given->snapshot.value());
  if (!snapshot) return refuse("", snapshot.error().message);
  auto prepared = worker_.prepare(std::move(*snapshot), std::move(*given));
  if (!prepared) return refuse(prepared.error().pointer, prepared.error().text);
  prepared_.emplace(std::move(*prepared));
  send(MessageType::kPrepared, id, edition);
}

void Control::activate(const ipc::Message& message) {
  const auto wanted = ipc::Edition::of(message.body);
  const config::Snapshot* snapshot = prepared_ ? &prepared_->configuration->snapshot : nullptr;
  if (!snapshot || ipc::Edition{snapshot->revision, snapshot->epoch} != wanted)
    return worker_.log().error("the master activates revision {}, epoch {}, which was not prepared", wanted.revision,
                               wanted.epoch);
  worker_.activate(std::move(*prepared_));
  prepared_.reset();
  send(MessageType::kActivated, message.id, wanted.body());
}

// Each address of the target is checked once; the answer comes when the last one was.
async::Task<void> Control::check_target(uint64_t id, nlohmann::json question) {
  using Groups = upstream::Prober::Groups;
  const auto configuration = worker_.shared_configuration();
  const auto found =
      configuration ? configuration->upstreams.find(question.value("upstream", "")) : Groups::const_iterator();
  nlohmann::json checks = nlohmann::json::array();
  if (configuration && found != configuration->upstreams.end()) {
    const std::shared_ptr<const Groups> groups(configuration, &configuration->upstreams);
    for (const upstream::Member& member : found->second.members) {
      if (member.id != question.value("target", "") || !member.probe) continue;
      const upstream::CheckResult result = co_await upstream::Prober::check_once(groups, found->second, member);
      checks.push_back(describe(result, *found->second.check, member));
    }
  }
  send(MessageType::kAnswer, id, {{"checks", std::move(checks)}});
}

void Control::answer(const ipc::Message& question) {
  if (question.body.value("question", "") == "check")
    return (void)answers_.add(check_target(question.id, question.body));
  nlohmann::json reply{{"error", "this worker does not know the question"}};
  try {
    const std::string asked = question.body.value("question", "");
    if (asked == "explain") reply = explained(question);
    if (asked == "purge_subjects") reply = with_configuration(question, purge_subjects);
    if (asked == "cache_objects") reply = list_objects(worker_.cache(), question.body, worker_.moment().steady);
    if (asked == "cache_lookup") reply = looked_up(question);
  } catch (const std::exception& error) {   // a question as large as no request may be
    reply = {{"error", error.what()}};
  }
  send(MessageType::kAnswer, question.id, std::move(reply));
}

nlohmann::json Control::with_configuration(const ipc::Message& question, Answerer answerer) const {
  const proxy::Configuration* configuration = worker_.configuration();
  return configuration ? answerer(*configuration, question.body) : no_configuration();
}

nlohmann::json Control::looked_up(const ipc::Message& question) {
  const proxy::Configuration* configuration = worker_.configuration();
  return configuration ? lookup(*configuration, worker_.cache(), question.body, worker_.moment()) : no_configuration();
}

// By the configuration in force, or by the snapshot that came with the question.
nlohmann::json Control::explained(const ipc::Message& question) {
  if (question.descriptors.empty()) return with_configuration(question, explain);
  auto snapshot = config::unseal(question.descriptors.front().value());
  if (!snapshot) return {{"error", snapshot.error().message}};
  const auto apart = worker_.build_apart(std::move(*snapshot));
  return apart ? explain(**apart, question.body)
               : nlohmann::json{{"error", apart.error().pointer + ": " + apart.error().text}};
}

}   // namespace proxyd::worker
