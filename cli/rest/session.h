#pragma once

#include <string>
#include <vector>

#include "cli/rest/client.h"

namespace proxyd::cli {

// What one run of proxyctl is about: where the server is, how answers are shown, what was asked for. Made by main,
// used by the commands. stdout is data, stderr is messages.
struct Session {
  std::string address;
  std::string token;
  std::string output = "table";     // table | wide | json | yaml | name
  bool yes = false;
  bool colour = false;

  RestClient client() const { return RestClient(address, token); }

  // Calls; on failure prints the error and gives the exit code.
  struct Outcome {
    Exit exit = Exit::kOk;
    Reply reply;
    bool ok() const { return exit == Exit::kOk; }
  };
  Outcome call(const RestClient::Call& call) const;
  Outcome get(const std::string& path) const { return call({"GET", path, "", "", {}}); }

  // The reply as `-o` says: `table` renders it for people. JSON is the body verbatim.
  Exit show(const Outcome& outcome, const std::string& table) const;
  // True when the person agreed: `--yes`, or a question on a terminal.
  bool confirmed(const std::string& question) const;
};

void print_error(const std::string& cause, const std::string& hint = {});
// Problem details, with `file:line:column: /pointer: message (did you mean …)` for each error of a document.
void print_problem(const Reply& reply, const std::string& file);

// Rows with aligned columns, the first row being the heading.
std::string table(const std::vector<std::vector<std::string>>& rows);

std::string text_of(const Json& json, const char* key);

}  // namespace proxyd::cli
