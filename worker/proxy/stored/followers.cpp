#include "worker/proxy/stored/followers.h"

namespace proxyd::proxy {
namespace {

constexpr auto kLookAgain = milliseconds(100);

}   // namespace

void Follower::leave() {
  if (!followers_) return;
  if (next_) next_->previous_ = previous_;
  (previous_ ? previous_->next_ : followers_->first_[number_]) = next_;
  --followers_->count_;
  followers_ = nullptr;
  next_ = previous_ = nullptr;
}

void Followers::add(Follower& follower, uint32_t number) {
  follower.leave();
  Follower*& first = first_[number];
  follower.number_ = number;
  follower.followers_ = this;
  follower.next_ = first;
  if (first) first->previous_ = &follower;
  first = &follower;
  if (count_++ == 0) loop_.timers().arm(timer_, Deadline::at(loop_.now() + kLookAgain));
}

void Followers::raise(uint32_t number) {
  for (Follower* one = first_[number]; one; one = one->next_) one->news_.raise(loop_.ready());
}

void Followers::raise(const cache::WaitNumbers& numbers) {
  if (count_ == 0) return;
  for (uint32_t number = 0; number < first_.size(); ++number) {
    if (numbers.test(number)) raise(number);
  }
}

void Followers::look_again() {
  if (count_ == 0) return;
  for (uint32_t number = 0; number < first_.size(); ++number) raise(number);
  loop_.timers().arm(timer_, Deadline::at(loop_.now() + kLookAgain));
}

}   // namespace proxyd::proxy
