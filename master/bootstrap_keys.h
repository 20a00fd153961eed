#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "master/bootstrap.h"

namespace proxyd::master {

// One key of the bootstrap: its variable, how a text becomes its value, and how the value is shown as such a text.
struct BootstrapKey {
  std::string_view name;                                            // "shutdown.grace"
  std::string_view variable;                                        // "PROXYD_SHUTDOWN_GRACE"
  std::function<std::string(Bootstrap&, const std::string&)> set;   // what is wrong with the text, or nothing
  std::function<std::string(const Bootstrap&)> show;
  bool list = false;   // the text is a list, "a,b"
};

// Every key, in the order in which they are shown.
const std::vector<BootstrapKey>& bootstrap_keys();

}   // namespace proxyd::master
