#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "cli/session.h"

namespace proxyd::cli {

// Calls that go on after their answer, and states that come true later. Blocks by looking again; a time that is over
// is an exit code, not a failure.

// The end of a long call: where the answer was 202 with a Location, what stands there when it has ended. Given up
// after `limit`, exit 8.
Session::Outcome finished(const Session& session, Session::Outcome outcome, std::chrono::milliseconds limit,
                          const Session::HintFor& hint = {});

// Looks until `there(json)` holds for what is at `path`; the last look, and whether it held.
struct Looked {
  Session::Outcome outcome;
  bool held = false;
};
Looked look_until(const Session& session, const std::string& path, std::chrono::milliseconds limit,
                  const std::function<bool(const Json&)>& there);

// Of "30s"; it was checked when the command line was read.
std::chrono::milliseconds duration_of(const std::string& text);

}   // namespace proxyd::cli
