#include "worker/upstream/connection_pool.h"

#include "worker/upstream/http1_connection.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {

ConnectionPool::ConnectionPool(const Services& services, uint32_t row)
    : loop_(services.loop),
      status_(services.status),
      slot_(services.slot),
      row_(row),
      unsolicited_(services.unsolicited) {}

ConnectionPool::~ConnectionPool() { close_all(); }

void ConnectionPool::opened() {
  std::atomic<uint32_t>& gauge = status_.connections(slot_, row_);
  gauge.store(gauge.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void ConnectionPool::closed() {
  std::atomic<uint32_t>& gauge = status_.connections(slot_, row_);
  gauge.store(gauge.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

void ConnectionPool::unlink(Http1Connection& connection) {
  (connection.previous_ ? connection.previous_->next_ : first_) = connection.next_;
  (connection.next_ ? connection.next_->previous_ : last_) = connection.previous_;
  connection.next_ = connection.previous_ = nullptr;
  --idle_;
}

std::unique_ptr<Http1Connection> ConnectionPool::take() {
  while (first_) {
    std::unique_ptr<Http1Connection> connection(first_);
    unlink(*connection);
    const bool too_old = limits_.max_age && loop_.now() - connection->created() >= *limits_.max_age;
    if (too_old || connection->spoiled()) continue;
    connection->use();
    return connection;
  }
  return nullptr;
}

void ConnectionPool::give_back(std::unique_ptr<Http1Connection> connection) {
  const bool used_up = limits_.max_requests && connection->served() + 1 >= *limits_.max_requests;
  const bool too_old = limits_.max_age && loop_.now() - connection->created() >= *limits_.max_age;
  if (used_up || too_old || limits_.max_idle == 0) return;
  if (connection->spoiled()) {
    if (!connection->stream().watched().peer_closed()) unsolicited_.add();
    return;
  }
  while (idle_ >= limits_.max_idle) discard(*last_);
  connection->rest(Deadline::after(loop_.now(), limits_.idle_timeout));
  Http1Connection* youngest = connection.release();   // linked: `take` and `discard` own it
  youngest->next_ = first_;
  (first_ ? first_->previous_ : last_) = youngest;
  first_ = youngest;
  ++idle_;
}

void ConnectionPool::discard(Http1Connection& connection) {
  const async::Watched& watched = connection.stream().watched();
  if (watched.readable() && !watched.peer_closed() && !watched.broken()) unsolicited_.add();
  unlink(connection);
  delete &connection;
}

void ConnectionPool::close_all() {
  while (first_) {
    Http1Connection* connection = first_;
    unlink(*connection);
    delete connection;
  }
}

}   // namespace proxyd::upstream
