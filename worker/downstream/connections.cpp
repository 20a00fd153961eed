#include "worker/downstream/connections.h"

#include "worker/downstream/http1_connection.h"

namespace proxyd::downstream {

void Connections::append(List& list, Http1Connection& connection) {
  connection.previous_ = list.last;
  connection.next_ = nullptr;
  (list.last ? list.last->next_ : list.first) = &connection;
  list.last = &connection;
}

void Connections::remove(List& list, Http1Connection& connection) {
  (connection.previous_ ? connection.previous_->next_ : list.first) = connection.next_;
  (connection.next_ ? connection.next_->previous_ : list.last) = connection.previous_;
}

void Connections::become_idle(Http1Connection& connection) {
  remove(busy_, connection);
  append(idle_, connection);
}

void Connections::become_busy(Http1Connection& connection) {
  remove(idle_, connection);
  append(busy_, connection);
}

void Connections::adopt(UniqueFd socket, const sockaddr_storage& peer, std::shared_ptr<Listener> listener) {
  auto connection = std::make_unique<Http1Connection>(*this, std::move(listener));
  if (!connection->start(std::move(socket), peer)) return;
  append(idle_, *connection);
  services_.slot.connections.store(++open_, std::memory_order_relaxed);
  connection.release();   // linked: `close` deletes it
}

void Connections::close(Http1Connection& connection) {
  remove(connection.state_ == Http1Connection::State::kIdle ? idle_ : busy_, connection);
  services_.slot.connections.store(--open_, std::memory_order_relaxed);
  delete &connection;
}

// A connection that has not asked for anything yet gets its one answer: it was accepted in good faith.
void Connections::drain() {
  draining_ = true;
  for (Http1Connection* connection = idle_.first; connection;) {
    Http1Connection* next = connection->next_;
    if (connection->served_any_) close(*connection);
    connection = next;
  }
}

bool Connections::close_oldest_idle() {
  if (!idle_.first) return false;
  close(*idle_.first);
  return true;
}

bool Connections::close_oldest_idle_of(const Listener& listener) {
  constexpr int kMostLookedAt = 64;
  Http1Connection* connection = idle_.first;
  for (int i = 0; connection && i < kMostLookedAt; ++i, connection = connection->next_) {
    const bool rests = connection->served_any_ && !connection->stream_.watched().readable();
    if (connection->listener_.get() != &listener || !rests) continue;
    close(*connection);
    return true;
  }
  return false;
}

size_t Connections::cut_all() {
  const size_t cut = open_;
  while (idle_.first) close(*idle_.first);
  while (busy_.first) close(*busy_.first);
  return cut;
}

}   // namespace proxyd::downstream
