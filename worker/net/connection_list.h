#pragma once

#include <cstddef>

namespace proxyd::net {

// Where a connection stands among others; a member `links_` of it.
template <class Connection>
struct ConnectionLinks {
  Connection* older = nullptr;
  Connection* younger = nullptr;
};

// Connections in the order in which they came, linked through themselves, so that neither coming nor going allocates.
// Owns nothing. A connection is in one list at most, which is a friend of it, and leaves before it is destroyed.
template <class Connection>
class ConnectionList {
 public:
  Connection* oldest() const { return oldest_; }
  Connection* youngest() const { return youngest_; }
  size_t size() const { return size_; }
  static Connection* younger_than(const Connection& connection) { return connection.links_.younger; }

  // As the youngest.
  void add(Connection& connection) {
    connection.links_ = {.older = youngest_, .younger = nullptr};
    (youngest_ ? youngest_->links_.younger : oldest_) = &connection;
    youngest_ = &connection;
    ++size_;
  }
  void remove(Connection& connection) {
    const ConnectionLinks<Connection>& links = connection.links_;
    (links.older ? links.older->links_.younger : oldest_) = links.younger;
    (links.younger ? links.younger->links_.older : youngest_) = links.older;
    --size_;
  }

 private:
  Connection* oldest_ = nullptr;
  Connection* youngest_ = nullptr;
  size_t size_ = 0;
};

}   // namespace proxyd::net
