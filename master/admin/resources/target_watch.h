#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "master/admin/context.h"

namespace proxyd::admin {

// What is in flight at a target, seen for as long as somebody waits for its end: at each of its addresses, those that
// it had when the watch began and those that join or leave meanwhile. One thread at a time; copies go their own way.
class TargetWatch {
 public:
  TargetWatch(Context& context, std::string name) : context_(&context), name_(std::move(name)) { follow(); }

  uint32_t in_flight();
  // Requests that were cut there since the watch began.
  uint32_t cut();
  // Has every worker end what it does there. False when there is no such target any more.
  bool cut_all();

 private:
  bool follow();

  Context* context_;
  std::string name_;
  std::map<uint32_t, uint32_t> cut_before_;   // by row: what the count was when it was first seen
};

}   // namespace proxyd::admin
