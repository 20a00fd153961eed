#pragma once

#include <string>
#include <vector>

namespace proxyd::master {

// Something that needs a person, with the command that helps.
struct Attention {
  std::string severity;   // error, warning, info
  std::string code;
  std::string message;
  std::string command;
};

// Ready or not, and why: what /readyz, /status and the service manager are told.
struct Readiness {
  bool ready = false;
  bool degraded = false;
  std::string why;
};

}   // namespace proxyd::master
