#include "worker/downstream/connections.h"

#include <new>

#include "worker/downstream/connection.h"
#include "worker/downstream/http2_connection.h"

namespace proxyd::downstream {

void Connections::become_idle(Connection& connection) {
  busy_.remove(connection);
  idle_.add(connection);
}

void Connections::become_busy(Connection& connection) {
  idle_.remove(connection);
  busy_.add(connection);
}

void Connections::adopt(UniqueFd socket, const sockaddr_storage& peer, std::shared_ptr<Listener> listener) {
  std::unique_ptr<Connection> connection(new (std::nothrow) Connection(*this, std::move(listener)));
  if (!connection || !connection->start(std::move(socket), peer)) return;   // for want of memory
  idle_.add(*connection);
  services_.slot.connections.store(++open_, std::memory_order_relaxed);
  connection.release();   // linked: `close` deletes it
}

void Connections::close(Connection& connection) {
  (connection.state_ == Connection::State::kIdle ? idle_ : busy_).remove(connection);
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

// The oldest of the first few that has been served, says nothing now, and is of `listener` when one is given.
Connection* Connections::oldest_at_rest(const Listener* listener) const {
  constexpr int kMostLookedAt = 64;
  Connection* connection = idle_.oldest();
  for (int i = 0; connection && i < kMostLookedAt; ++i, connection = idle_.younger_than(*connection)) {
    const bool rests = connection->served_any_ && !connection->tcp_.watched().readable();
    if (rests && (!listener || connection->listener_.get() == listener)) return connection;
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
  while (idle_.oldest()) close(*idle_.oldest());
  while (busy_.oldest()) close(*busy_.oldest());
  return cut;
}

}   // namespace proxyd::downstream
