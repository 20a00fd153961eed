#include "worker/downstream/acceptor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>

namespace proxyd::downstream {
namespace {

constexpr int kBatch = 16;
constexpr int kBetweenLooks = 4;          // at what the others have
constexpr int kSweep = 4096;              // of a socket that is left for good: "until nothing is left", bounded
constexpr milliseconds kCheck{16};        // while away: the others have a moment, though the machine be busy
constexpr milliseconds kSoon{1};          // where they take nothing and much waits
constexpr milliseconds kLastCheck{256};   // doubled from kCheck, while nobody waits
constexpr milliseconds kFirstRest{100};   // of a socket when descriptors are short, doubled while they are
constexpr milliseconds kLastRest{1000};
constexpr auto kLogAgain = std::chrono::seconds(1);
constexpr auto kRestWhenFull = milliseconds(50);   // of a listener at its max_connections
constexpr uint64_t kSlack = 4;                     // so many above the mean is chance, not imbalance

// A place among the max_connections of a listener, shown to the other workers before there is a connection for it: so
// no two of them take the last one, though both may miss it.
class ReservedPlace {
 public:
  ReservedPlace(const Listener& listener, const status::StatusRegion& status)
      : listener_(listener), status_(status), most_(listener.settings.max_connections) {
    if (!most_) return;
    listener_.open_gauge.add();
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
  ReservedPlace(const ReservedPlace&) = delete;
  ReservedPlace& operator=(const ReservedPlace&) = delete;
  ~ReservedPlace() {
    if (most_) listener_.open_gauge.subtract();
  }

  bool is_there() const { return !most_ || listener_.open_everywhere(status_.slots_in_use()) <= *most_; }

 private:
  const Listener& listener_;
  const status::StatusRegion& status_;
  const config::MaybeSize most_;
};

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
    if (watched_ || rest_.armed()) return;
    watched_ = acceptor_.loop_.watch_level(descriptor_.value(), *this, true);
    if (watched_) return;
    acceptor_.counters_.other_errors.add();
    rest_longer(fmt::format("its socket cannot be watched: {}", std::strerror(errno)));
  }
  void leave() {
    if (!watched_) return;
    watched_ = false;
    acceptor_.loop_.unwatch_level(descriptor_.value());
  }
  // Added anew, it tells of what waits there, though the kernel's wake-up went to another.
  void look_again() {
    if (watched_ && somebody_waits()) leave();
    join();
  }
  bool rests() const { return rest_.armed(); }
  bool somebody_waits() const {
    pollfd queue{descriptor_.value(), POLLIN, 0};
    return ::poll(&queue, 1, 0) == 1;
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
      for (int taken = 0; taken < kBatch && accept(kBetweenLooks) && !acceptor_.has_too_many();
           taken += kBetweenLooks) {
      }
      return acceptor_.rebalance();
    }
    if (acceptor_.joined_) join();   // rested
  }

  bool accept_one() {
    const ReservedPlace place(*listener_, acceptor_.status_);
    if (!place.is_there() && !(may_replace_idle() && place.is_there())) return rest(kRestWhenFull);
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
    return acceptor_.connections_.close_oldest_idle() ||
           rest_longer(fmt::format("{}; raise the limit of open files", why));
  }

  bool rest_longer(std::string_view why) {
    const Instant now = acceptor_.loop_.now();
    if (now - acceptor_.last_shortage_log_ >= kLogAgain) {
      acceptor_.last_shortage_log_ = now;
      acceptor_.log_.error("listener '{}' rests: {}", listener_->name, why);
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

Acceptor::Acceptor(async::EventLoop& loop, Connections& connections, const status::StatusRegion& status,
                   const memory::WakeDescriptors& wakes, async::Signal& called, uint32_t slot, Log& log)
    : loop_(loop),
      connections_(connections),
      status_(status),
      wakes_(wakes),
      called_(called),
      slot_(slot),
      log_(log),
      answer_(*this),
      look_(*this),
      check_(look_) {
  called_.notify(&answer_);
  reserve_descriptors();
}

Acceptor::~Acceptor() {
  called_.notify(nullptr);
  sockets_.clear();   // which take what still waits, with all of this
}

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
  status_.worker(slot_).accepting.store(0, std::memory_order_seq_cst);
  for (const auto& [address, socket] : sockets_) socket->leave();
  if (somebody_waits() || status_.accepting_workers() == 0) call_those_with_few();
  away_batch_ = 0;
  next_check_ = kCheck;
  loop_.timers().arm(check_, Deadline::at(loop_.now() + next_check_));
}

bool Acceptor::somebody_waits() const {
  return std::any_of(sockets_.begin(), sockets_.end(), [](const auto& one) { return one.second->somebody_waits(); });
}

void Acceptor::call_those_with_few() const {
  const uint64_t workers = status_.running_workers();
  const uint64_t total = status_.connections_of_all_workers();
  for (uint32_t slot = 0; slot < status_.slots_in_use(); ++slot) {
    status::WorkerSlot& other = status_.worker(slot);
    if (slot == slot_ || other.serving.load(std::memory_order_relaxed) == 0) continue;
    if (other.connections.load(std::memory_order_relaxed) * workers >= total) continue;
    if (other.called.exchange(1, std::memory_order_acq_rel) == 0) wakes_.wake(slot);
  }
}

// The descriptor wakes for other news as well.
void Acceptor::answer() {
  auto& called = status_.worker(slot_).called;
  if (called.load(std::memory_order_relaxed) != 0 && called.exchange(0, std::memory_order_acquire) != 0) look_again();
}

// Back below the mean it joins again. Until then what waits is for the others, who are called; but where somebody waits
// at one look after the other, they have no time or the call was lost: then this worker takes one, and more and more.
void Acceptor::check() {
  if (sockets_.empty() || joined_) return;
  bool waits = false;
  bool much = false;
  for (const auto& [address, socket] : sockets_) {
    if (socket->rests() || !socket->somebody_waits()) continue;
    waits = true;
    much = (socket->accept(away_batch_) && away_batch_ == kBatch) || much;
  }
  if (has_few()) return join_all();
  if (waits) call_those_with_few();
  away_batch_ = waits ? std::clamp(away_batch_ * 2, 1, kBatch) : 0;
  next_check_ = much ? kSoon : waits ? kCheck : std::clamp(next_check_ * 2, kCheck, kLastCheck);
  loop_.timers().arm(check_, Deadline::at(loop_.now() + next_check_));
}

// More than an eighth above the mean. So others are below it, and they come when they are called.
bool Acceptor::has_too_many() const {
  const uint64_t workers = status_.running_workers();
  const uint64_t total = status_.connections_of_all_workers();
  return workers > 1 && connections_.open() * workers > total + total / 8 + kSlack * workers;
}

bool Acceptor::has_few() const {
  const uint64_t workers = status_.running_workers();
  const bool below_mean = connections_.open() * workers < status_.connections_of_all_workers();
  return below_mean || status_.accepting_workers() == 0;
}

void Acceptor::rebalance() {
  if (joined_ && has_too_many()) leave_all();
}

void Acceptor::look_again() {
  if (sockets_.empty()) return;
  if (!joined_) return has_few() ? join_all() : void();
  for (const auto& [address, socket] : sockets_) socket->look_again();
}

void Acceptor::close() {
  joined_ = false;
  check_.disarm();
  status_.worker(slot_).accepting.store(0, std::memory_order_relaxed);
  sockets_.clear();
}

void Acceptor::housekeeping() {
  reserve_descriptors();
  status_.worker(slot_).called.store(0, std::memory_order_relaxed);   // whoever set it may be dead, and others go by it
  look_again();
  rebalance();
}

}   // namespace proxyd::downstream
