#pragma once

#include <CLI/CLI.hpp>

#include "cli/session.h"

namespace proxyd::cli {

// What the commands about one target share.

// UPSTREAM and ID as a command was given them.
struct TargetName {
  std::string upstream;
  std::string id;
  std::string path() const;    // of the API
  std::string words() const;   // "target 'a1' of 'app'"
};
CLI::App* with_target(CLI::App* command, TargetName& name);

// After a 404: which upstream or target was meant. `session` outlives it.
Session::HintFor hint_of_target(const Session& session, const TargetName& name);

// "up", or "up (starting 40 %)".
std::string state_of(const Json& target);
// UPSTREAM TARGET ADDRESS STATE WEIGHT IN FLIGHT CONNECTIONS
std::vector<std::string> target_cells(const std::string& upstream, const Json& target);
// Why it is in its state: the server's reason, its lease, each override with its owner, reason and end. Empty when it
// is simply up.
std::string reasons_of(const Json& target);
// What is in flight at the target, for a person who waits for it to end.
std::string in_flight_of(const Json& target);

void add_membership(CLI::App& noun, Session& session, Exit& exit);   // target add, remove, set
void add_sync(CLI::App& target, Session& session, Exit& exit);       // target sync
void add_overrides(CLI::App& noun, Session& session, Exit& exit);    // drain, maintenance, ready, weight
void add_check(CLI::App& noun, Session& session, Exit& exit);        // check

}   // namespace proxyd::cli
