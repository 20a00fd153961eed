#include "worker/upstream/http2_connections.h"

#include <algorithm>
#include <new>

#include "worker/upstream/dial.h"
#include "worker/upstream/http2_connection.h"
#include "worker/upstream/http2_exchange.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {
namespace {

using Offer = tls::ClientContext::Offer;
using Opened = Result<std::unique_ptr<Exchange>, Fault>;

constexpr size_t kMostConnections = 64;
constexpr auto kGreetingWait = milliseconds(5000);   // of an adopted connection

Offer offer_of(const Target& target) {
  switch (target.protocol()) {
    case config::UpstreamProtocol::kH2: return Offer::kHttp2;
    case config::UpstreamProtocol::kAuto: return Offer::kBoth;
    default: return Offer::kNothing;
  }
}

}   // namespace

// A request that waits for room, in the order of arrival. Lies in the frame of `open`.
struct Http2Connections::Waiting {
  explicit Waiting(Http2Connections& all) : connections(all) { connections.waiting_.add(*this); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    connections.waiting_.remove(*this);
    connections.has_room();   // for the next, should this one have been woken for it
  }

  Http2Connections& connections;
  async::Signal woken;
  Fault fault = Fault::kNone;
  net::ConnectionLinks<Waiting> links_;
};

Http2Connections::Http2Connections(Target& target) : target_(target) {}

Http2Connections::~Http2Connections() {
  opening_.cancel();
  while (connections_.oldest()) remove(*connections_.oldest());
}

Http2Connection* Http2Connections::find_room() {
  for (Http2Connection* one = connections_.oldest(); one; one = connections_.younger_than(*one)) {
    one->catch_up();
    if (one->takes_another()) return one;
  }
  return nullptr;
}

size_t Http2Connections::room() const {
  size_t room = 0;
  for (const Http2Connection* one = connections_.oldest(); one; one = connections_.younger_than(*one))
    room += one->room();
  return room;
}

std::unique_ptr<Exchange> Http2Connections::exchange_on(Http2Connection& connection,
                                                        const std::shared_ptr<Target>& target,
                                                        const http1::HeadRules& rules) {
  if (connection.served() > 0) target->counters().reused.add();
  return std::make_unique<Http2Exchange>(target, connection, rules);
}

std::unique_ptr<Exchange> Http2Connections::take(const std::shared_ptr<Target>& target, const http1::HeadRules& rules) {
  if (waiting_.size() > 0) return nullptr;
  Http2Connection* const connection = find_room();
  return connection ? exchange_on(*connection, target, rules) : nullptr;
}

bool Http2Connections::may_replace_one() const { return connections_.size() < kMostConnections; }

bool Http2Connections::may_open_another() const {
  size_t usable = 0;
  for (const Http2Connection* one = connections_.oldest(); one; one = connections_.younger_than(*one)) {
    if (one->takes_none()) return false;
    usable += one->is_leaving() ? 0 : 1;
  }
  return !is_opening_ && usable < kMostConnections;
}

async::Task<Opened> Http2Connections::open(std::shared_ptr<Target> target, http1::HeadRules rules, Deadline deadline) {
  async::EventLoop& loop = target->services().loop;
  Waiting self(*this);
  for (bool woken = false;;) {
    const bool first = waiting_.oldest() == &self;
    Http2Connection* const connection = woken || first ? find_room() : nullptr;
    if (connection) co_return Opened(exchange_on(*connection, target, rules));
    if (refused_) co_return Opened(std::unique_ptr<Exchange>());
    if (may_open_another()) opening_ = open_another(deadline);
    woken = co_await async::WaitReady(loop, self.woken, deadline);
    self.woken.set(false);
    const Fault fault = std::exchange(self.fault, Fault::kNone);
    // The one who opened it may have had less time left.
    const bool again = fault == Fault::kConnectionTimeout && !deadline.passed(loop.now());
    if (fault != Fault::kNone && !again) co_return Opened(fault);
    if (!woken) co_return Opened(is_opening_ ? Fault::kConnectionTimeout : Fault::kNoStream);
  }
}

// One more than there is room for: that one opens the next connection.
void Http2Connections::has_room() {
  if (waiting_.size() == 0) return;
  size_t count = room() + 1;
  for (Waiting* one = waiting_.oldest(); one && count > 0; one = waiting_.younger_than(*one), --count)
    one->woken.raise(target_.services().loop.ready());
}

void Http2Connections::opened(Fault fault) {
  is_opening_ = false;
  if (fault == Fault::kNone) return has_room();
  tell_waiting(fault);
}

void Http2Connections::tell_waiting(Fault fault) {
  for (Waiting* one = waiting_.oldest(); one; one = waiting_.younger_than(*one)) {
    one->fault = fault;
    one->woken.raise(target_.services().loop.ready());
  }
}

void Http2Connections::cut_waiting() { tell_waiting(Fault::kCutConnecting); }

async::Task<void> Http2Connections::open_another(Deadline deadline) {
  is_opening_ = true;
  try {
    auto dialled = co_await dial(target_, offer_of(target_), deadline);
    if (!dialled) {
      opened(dialled.error());
      co_return;
    }
    const bool may_refuse = target_.protocol() == config::UpstreamProtocol::kAuto;
    refused_ = may_refuse && !(*dialled)->chose_http2();
    if (refused_) {
      target_.counters().connected.add();
      (*dialled)->spare_use();
      target_.pool().give_back(std::move(*dialled));
      is_opening_ = false;
      tell_waiting(Fault::kNone);
      co_return;
    }
    co_await greet(std::move(*dialled), deadline);
  } catch (const std::bad_alloc&) {
    opened(Fault::kNoPort);
  }
}

// Requests wait for the target's SETTINGS: before them nobody knows how many it takes, nor that HTTP/2 is what it
// speaks. That costs the first of them a round trip and spares the others a refusal.
async::Task<void> Http2Connections::greet(std::unique_ptr<Connection> connection, Deadline deadline) {
  try {
    auto made = std::make_unique<Http2Connection>(target_, std::move(connection));
    made->start();
    const bool heard = co_await made->greeted(deadline);
    if (made->was_greeted()) {
      target_.counters().connected.add();
    } else if (!made->was_cut()) {
      target_.counters().connect_failed.add();
    }
    if (made->takes_part()) {
      made->take_place();
      connections_.add(*made.release());
      opened(Fault::kNone);
      co_return;
    }
    if (made->was_cut()) {
      opened(Fault::kCutConnecting);
      co_return;
    }
    if (made->was_greeted()) {   // and is over
      opened(Fault::kConnectionRefused);
      co_return;
    }
    target_.note_no_http2(heard ? "it answers something else" : "it says nothing");
    opened(heard ? Fault::kNoHttp2 : Fault::kConnectionTimeout);
  } catch (const std::bad_alloc&) {
    opened(Fault::kNoPort);
  }
}

void Http2Connections::adopt(std::unique_ptr<Connection> connection) {
  refused_ = false;
  if (is_opening_) return;
  is_opening_ = true;
  opening_ = greet(std::move(connection), Deadline::at(target_.services().loop.now() + kGreetingWait));
}

void Http2Connections::became_idle() {
  size_t idle = 0;
  for (Http2Connection* one = connections_.youngest(); one; one = one->links_.older) {
    if (one->is_idle() && one->served() > 0 && ++idle > target_.pool().limits().max_idle) one->leave();
  }
}

void Http2Connections::retire() {
  for (Http2Connection* one = connections_.oldest(); one; one = connections_.younger_than(*one)) one->leave();
}

void Http2Connections::remove(Http2Connection& connection) {
  connections_.remove(connection);
  delete &connection;
  has_room();   // rather: there is none, and the next who waits opens another
}

}   // namespace proxyd::upstream
