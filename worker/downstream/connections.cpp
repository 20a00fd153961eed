#include "worker/downstream/connections.h"

#include <new>

#include "worker/downstream/connection.h"
#include "worker/downstream/http2_connection.h"

namespace proxyd::downstream {

net::ConnectionList<Connection>& Connections::list_of(const Connection& connection) {
  using State = Connection::State;
  return connection.state_ == State::kIdle ? idle_ : connection.state_ == State::kEnding ? ending_ : busy_;
}

void Connections::become_idle(Connection& connection) {
  list_of(connection).remove(connection);
  connection.state_ = Connection::State::kIdle;
  idle_.add(connection);
}

void Connections::become_busy(Connection& connection) {
  list_of(connection).remove(connection);
  connection.state_ = Connection::State::kServing;
  busy_.add(connection);
}

void Connections::become_ending(Connection& connection) {
  list_of(connection).remove(connection);
  connection.state_ = Connection::State::kEnding;
  ending_.add(connection);
}

void Connections::adopt(UniqueFd socket, const sockaddr_storage& peer, std::shared_ptr<Listener> listener) {
  std::unique_ptr<Connection> connection(new (std::nothrow) Connection(*this, std::move(listener)));
  if (!connection || !connection->start(std::move(socket), peer)) return;   // for want of memory
  idle_.add(*connection);
  services_.slot.connections.store(++open_, std::memory_order_relaxed);
  connection.release();   // linked: `close` deletes it
}

void Connections::close(Connection& connection) {
  list_of(connection).remove(connection);
  services_.slot.connections.store(--open_, std::memory_order_relaxed);
  delete &connection;
}

// A connection that has not asked for anything yet gets its one answer: it was accepted in good faith.
// HTTP/2 is told, and ends by itself.
template <class Predicate>
void Connections::end_http2(Predicate wanted) {
  for (const auto* list : {&idle_, &busy_}) {
    for (Connection* connection = list->oldest(); connection; connection = list->younger_than(*connection)) {
      if (connection->http2_ && wanted(*connection)) connection->http2_->drain();
    }
  }
}

template <class Predicate>
void Connections::close_idle(Predicate wanted) {
  for (Connection* connection = idle_.oldest(); connection;) {
    Connection* next = idle_.younger_than(*connection);
    if (connection->served_any_ && !connection->http2_ && wanted(*connection)) close(*connection);
    connection = next;
  }
}

void Connections::drain() {
  draining_ = true;
  const auto any = [](const Connection&) { return true; };
  end_http2(any);
  close_idle(any);
}

void Connections::end_those_of(const Listener& listener) {
  const auto of_listener = [&listener](const Connection& connection) {
    return connection.listener_.get() == &listener;
  };
  end_http2(of_listener);
  close_idle(of_listener);
}

// The oldest that everything was said to and has arrived at, else the oldest that has been served and says nothing now,
// of the first few of each kind; of `listener` when one is given.
Connection* Connections::oldest_at_rest(const Listener* listener) const {
  constexpr int kMostLookedAt = 64;
  for (const auto* list : {&ending_, &idle_}) {
    Connection* connection = list->oldest();
    for (int i = 0; connection && i < kMostLookedAt; ++i, connection = list->younger_than(*connection)) {
      const bool rests = list == &ending_ ? connection->stream().unacknowledged() == 0
                                          : connection->served_any_ && !connection->tcp_.watched().readable();
      if (rests && (!listener || connection->listener_.get() == listener)) return connection;
    }
  }
  return nullptr;
}

bool Connections::close_oldest_idle() {
  Connection* oldest = oldest_at_rest(nullptr);
  if (!oldest) oldest = idle_.oldest();   // one that nobody has been served on goes before the new one does
  if (!oldest) return false;
  close(*oldest);
  return true;
}

bool Connections::close_oldest_idle_of(const Listener& listener) {
  Connection* oldest = oldest_at_rest(&listener);
  if (!oldest) return false;
  close(*oldest);
  return true;
}

size_t Connections::cut_all() {
  const size_t cut = open_;
  for (const auto* list : {&ending_, &idle_, &busy_}) {
    while (list->oldest()) close(*list->oldest());
  }
  return cut;
}

}   // namespace proxyd::downstream
