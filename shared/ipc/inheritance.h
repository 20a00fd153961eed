#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace proxyd::ipc {

// Everything a child of the master inherits, and nothing else: the spawn door closes every other descriptor. It
// travels as one argument, `--inherit=slot=0,incarnation=7,control=3,metrics=4,status=5,rejects=6`.
// A plain value; written by master/spawn, read by the worker's main. The numbers are descriptors of the child.
struct Inheritance {
  uint32_t slot = 0;          // the worker slot, 0–255
  uint64_t incarnation = 0;   // counts the starts of this slot, over master restarts too
  int control = -1;           // SOCK_SEQPACKET to the master
  int metrics = -1;           // regions
  int status = -1;
  int rejects = -1;

  std::string encode() const;
  static Result<Inheritance> decode(std::string_view text);
};

}   // namespace proxyd::ipc
