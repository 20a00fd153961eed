#pragma once

#include <string>

#include "shared/base/log.h"
#include "shared/config/model.h"

namespace proxyd::master {

// The secret that the marks of sticky cookies are made with, `<state>/cookies.key`: made with the first sticky upstream
// and kept, so that browsers find their targets after a restart. Owned by the configuration, under its lock.
class StickyKey {
 public:
  StickyKey(std::string state_folder, Log& log) : path_(std::move(state_folder) + "/cookies.key"), log_(log) {}

  // As text; empty where no upstream is sticky, or where it can't be had: then no cookie is set, and the log says why.
  std::string of(const config::Document& document);

 private:
  std::string path_;
  Log& log_;
  std::string key_;
};

}   // namespace proxyd::master
