#include "worker/upstream/connection_pool.h"

#include "worker/upstream/connection.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {

ConnectionPool::ConnectionPool(const Services& services, uint32_t row)
    : loop_(services.loop),
      status_(services.status),
      slot_(services.slot),
      row_(row),
      unsolicited_(services.unsolicited) {}

ConnectionPool::~ConnectionPool() { close_all(); }

void ConnectionPool::opened(Connection& connection) {
  busy_.add(connection);
  std::atomic<uint32_t>& gauge = status_.connections(slot_, row_);
  gauge.store(gauge.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void ConnectionPool::closed(Connection& connection) {
  const bool was_idle = connection.state() == Connection::State::kIdle;
  (was_idle ? idle_ : busy_).remove(connection);
  std::atomic<uint32_t>& gauge = status_.connections(slot_, row_);
  gauge.store(gauge.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

void ConnectionPool::become_idle(Connection& connection) {
  busy_.remove(connection);
  idle_.add(connection);
}

void ConnectionPool::become_busy(Connection& connection) {
  idle_.remove(connection);
  busy_.add(connection);
}

std::unique_ptr<Connection> ConnectionPool::take() {
  while (idle_.youngest()) {
    std::unique_ptr<Connection> connection(idle_.youngest());
    const bool too_old = limits_.max_age && loop_.now() - connection->created() >= *limits_.max_age;
    if (too_old || connection->spoiled()) continue;
    become_busy(*connection);
    connection->use();
    return connection;
  }
  return nullptr;
}

void ConnectionPool::give_back(std::unique_ptr<Connection> connection) {
  const bool used_up = limits_.max_requests && connection->served() + 1 >= *limits_.max_requests;
  const bool too_old = limits_.max_age && loop_.now() - connection->created() >= *limits_.max_age;
  if (used_up || too_old || limits_.max_idle == 0) return;
  if (connection->spoiled()) {
    if (!connection->stream().watched().peer_closed()) unsolicited_.add();
    return;
  }
  while (idle_.size() >= limits_.max_idle) discard(*idle_.oldest());
  connection->rest(Deadline::after(loop_.now(), limits_.idle_timeout));
  become_idle(*connection.release());   // `take` and `discard` own it
}

void ConnectionPool::discard(Connection& connection) {
  const async::Watched& watched = connection.stream().watched();
  if (watched.readable() && !watched.peer_closed() && !watched.broken()) unsolicited_.add();
  delete &connection;
}

void ConnectionPool::close_all() {
  while (idle_.oldest()) delete idle_.oldest();
}

void ConnectionPool::cut() {
  for (Connection* connection = busy_.oldest(); connection; connection = busy_.younger_than(*connection))
    connection->tcp().cut();
}

}   // namespace proxyd::upstream
