#include "worker/downstream/acceptor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace proxyd::downstream {
namespace {

constexpr int kBatch = 16;
constexpr int kSweep = 4096;              // "until there is nothing left", bounded
constexpr milliseconds kFirstCheck{8};    // while away: the others have a moment, though the machine be busy
constexpr milliseconds kLastCheck{32};    // then less and less often
constexpr milliseconds kFirstRest{100};   // of a socket when descriptors are short, doubled while they are
constexpr milliseconds kLastRest{1000};
constexpr auto kLogAgain = std::chrono::seconds(1);
constexpr auto kRestWhenFull = milliseconds(50);   // of a listener at its max_connections
constexpr uint64_t kSlack = 4;                     // so many above the mean is chance, not imbalance

}   // namespace

// One listening socket in the loop.
class Acceptor::Socket : private async::Wakeup {
 public:
  Socket(Acceptor& acceptor, UniqueFd descriptor, std::shared_ptr<Listener> listener)
      : Wakeup([](Wakeup& self) { static_cast<Socket&>(self).woken(); }),
        acceptor_(acceptor),
        descriptor_(std::move(descriptor)),
        listener_(std::move(listener)),
        rest_(*this) {}
  ~Socket() {
    leave();
    accept(kSweep);
  }

  const std::shared_ptr<Listener>& listener() const { return listener_; }
  void set_listener(std::shared_ptr<Listener> listener) { listener_ = std::move(listener); }

  void join() {
    if (!watched_ && !rest_.armed()) watched_ = acceptor_.loop_.watch_level(descriptor_.value(), *this, true);
  }
  void leave() {
    rest_.disarm();
    if (!watched_) return;
    watched_ = false;
    acceptor_.loop_.unwatch_level(descriptor_.value());
  }
  // At most `most` connections; true when more may wait.
  bool accept(int most) {
    for (int i = 0; i < most; ++i) {
      if (!accept_one()) return false;
    }
    return true;
  }

 private:
  void woken() {
    if (watched_) {
      accept(kBatch);
      return acceptor_.rebalance();
    }
    if (acceptor_.joined_) join();   // rested
  }

  bool accept_one() {
    const bool full = listener_->settings.max_connections && listener_->open >= *listener_->settings.max_connections;
    if (full && !may_replace_idle()) return rest(kRestWhenFull);
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    UniqueFd socket(
        ::accept4(descriptor_.value(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return after_error(errno);
    if (socket.value() >= acceptor_.reserved_from_) return adopt_from_reserve(std::move(socket), peer);
    acceptor_.connections_.adopt(std::move(socket), peer, listener_);
    rest_after_ = kFirstRest;
    return true;
  }

  // Room is made for who really waits: with nobody in the queue no idle connection is closed.
  bool somebody_waits() const {
    pollfd queue{descriptor_.value(), POLLIN, 0};
    return ::poll(&queue, 1, 0) == 1;
  }

  bool may_replace_idle() { return somebody_waits() && acceptor_.connections_.close_oldest_idle_of(*listener_); }

  // It takes the number of the connection that makes room for it, or stays in the reserve and the socket rests.
  bool adopt_from_reserve(UniqueFd socket, const sockaddr_storage& peer) {
    const bool again = after_shortage("few descriptors are left");
    if (UniqueFd lower(again ? ::fcntl(socket.value(), F_DUPFD_CLOEXEC, 0) : -1); lower) socket = std::move(lower);
    acceptor_.connections_.adopt(std::move(socket), peer, listener_);
    return again;
  }

  // True when it is worth trying again at once. A shortage is found before the queue is looked at.
  bool after_error(int error) {
    if (error == EAGAIN) return false;
    if (error == EINTR || error == ECONNABORTED || error == EPROTO) return true;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM)
      return somebody_waits() && after_shortage(std::strerror(error));
    acceptor_.counters_.other_errors.add();
    acceptor_.log_.error("accept on listener '{}' failed: {}", listener_->name, std::strerror(error));
    return rest(kFirstRest);
  }

  // The oldest idle connection makes room, else the socket rests.
  bool after_shortage(const char* why) {
    acceptor_.counters_.descriptors_short.add();
    if (acceptor_.connections_.close_oldest_idle()) return true;
    const Instant now = acceptor_.loop_.now();
    if (now - acceptor_.last_shortage_log_ >= kLogAgain) {
      acceptor_.last_shortage_log_ = now;
      acceptor_.log_.error("listener '{}' rests: {}; raise the limit of open files", listener_->name, why);
    }
    const milliseconds time = rest_after_;
    rest_after_ = std::min(rest_after_ * 2, kLastRest);
    return rest(time);
  }

  bool rest(milliseconds time) {
    if (watched_) leave();
    acceptor_.loop_.timers().arm(rest_, Deadline::at(acceptor_.loop_.now() + time));
    return false;
  }

  Acceptor& acceptor_;
  UniqueFd descriptor_;
  std::shared_ptr<Listener> listener_;
  async::Timer rest_;
  milliseconds rest_after_ = kFirstRest;
  bool watched_ = false;
};

Acceptor::Acceptor(async::EventLoop& loop, Connections& connections, const status::StatusRegion& status, uint32_t slot,
                   Log& log)
    : Wakeup([](Wakeup& self) { static_cast<Acceptor&>(self).rebalance(); }),
      loop_(loop),
      connections_(connections),
      status_(status),
      slot_(slot),
      log_(log),
      check_(*this) {
  reserve_descriptors();
}

Acceptor::~Acceptor() = default;

// Descriptors are given out lowest number first, so a high number means that few are left. The last sixteenth is for
// connections to targets and for what the master sends.
void Acceptor::reserve_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const auto most = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, INT_MAX));
  reserved_from_ = most - std::clamp(most / 16, 4, 256);
}

// Connections of listeners that are not there any more go to the one that has their socket now, or end.
void Acceptor::hand_over(Socket& socket, const std::vector<Given>& given, const std::shared_ptr<Listener>& successor) {
  Listener& former = *socket.listener();
  const bool still_there =
      std::any_of(given.begin(), given.end(), [&former](const Given& one) { return one.listener.get() == &former; });
  if (still_there) return;
  former.successor = successor;
  former.gone = !successor;
  if (former.gone) connections_.end_those_of(former);
}

void Acceptor::set_sockets(std::vector<Given> given) {
  for (const auto& [address, socket] : sockets_) {
    const auto now = std::find_if(given.begin(), given.end(), [&](const Given& one) { return one.address == address; });
    hand_over(*socket, given, now == given.end() ? nullptr : now->listener);
  }
  std::map<std::string, std::unique_ptr<Socket>> sockets;
  for (Given& one : given) {
    auto known = sockets_.extract(one.address);
    if (known) {
      known.mapped()->set_listener(one.listener);
      sockets.insert(std::move(known));
    } else {
      const std::string address = one.address;
      sockets.emplace(address, std::make_unique<Socket>(*this, std::move(one.socket), one.listener));
    }
  }
  sockets_ = std::move(sockets);
  join_all();
}

void Acceptor::join_all() {
  joined_ = !sockets_.empty();
  check_.disarm();
  status_.worker(slot_).accepting.store(joined_ ? 1 : 0, std::memory_order_relaxed);
  for (const auto& [address, socket] : sockets_) socket->join();
}

void Acceptor::leave_all() {
  joined_ = false;
  status_.worker(slot_).accepting.store(0, std::memory_order_relaxed);
  for (const auto& [address, socket] : sockets_) socket->leave();
  check_after_ = kFirstCheck;
  away_batch_ = 1;
  accept_while_away();
}

// A wake-up for a connection that waits may have come here alone. But to sweep the queue would undo why this worker
// went away: first one, and where the others leave the rest for long, more and more.
void Acceptor::accept_while_away() {
  bool more = false;
  for (const auto& [address, socket] : sockets_) more = socket->accept(away_batch_) || more;
  away_batch_ = more ? std::min(away_batch_ * 2, kBatch) : 1;
  if (more) check_after_ = kFirstCheck;
  arm_check();
}

void Acceptor::arm_check() {
  loop_.timers().arm(check_, Deadline::at(loop_.now() + check_after_));
  check_after_ = std::min(check_after_ * 2, kLastCheck);
}

// More than an eighth above the mean, and somebody else is there to accept.
bool Acceptor::has_too_many() const {
  const uint64_t workers = status_.running_workers();
  const uint64_t total = status_.connections_of_all_workers();
  const uint64_t own = connections_.open();
  return workers > 1 && own * workers > total + total / 8 + kSlack * workers && status_.accepting_workers() > 1;
}

bool Acceptor::has_few() const {
  const uint64_t workers = status_.running_workers();
  const bool below_mean = connections_.open() * workers < status_.connections_of_all_workers();
  return below_mean || status_.accepting_workers() == 0;
}

void Acceptor::rebalance() {
  if (sockets_.empty()) return;
  if (joined_) {
    if (has_too_many()) leave_all();
  } else if (has_few()) {
    join_all();
  } else {
    accept_while_away();
  }
}

void Acceptor::accept_once() {
  for (const auto& [address, socket] : sockets_) socket->accept(kSweep);
}

void Acceptor::close() {
  joined_ = false;
  check_.disarm();
  status_.worker(slot_).accepting.store(0, std::memory_order_relaxed);
  sockets_.clear();
}

void Acceptor::housekeeping() {
  reserve_descriptors();
  accept_once();
  rebalance();
}

}   // namespace proxyd::downstream
