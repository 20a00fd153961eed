#include "master/ticket_rotation.h"

namespace proxyd::master {

bool TicketRotation::rotate_if_due(Wall now) {
  if (last_ == Wall{} || now < last_) last_ = now;
  if (now - last_ < kPeriod) return false;
  last_ = now;
  region_.rotate();
  return true;
}

}   // namespace proxyd::master
