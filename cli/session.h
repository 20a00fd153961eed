#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/output/streams.h"
#include "cli/output/table.h"
#include "cli/rest/client.h"

namespace proxyd::cli {

// What one run of proxyctl is about: where the server is, how answers are shown, what was asked for. Made by main,
// used by the commands. stdout is data, stderr is messages.
struct Session {
  std::string address;
  std::string token;
  std::string output = "table";   // table | wide | json | yaml | name
  bool yes = false;
  bool colour = false;   // of stdout
  size_t width = 0;      // of the terminal at stdout; 0: none

  bool for_people() const { return output == "table" || output == "wide"; }
  bool wide() const { return output == "wide"; }

  // A call's reply, or the exit code after its failure was said.
  struct Outcome {
    Exit exit = Exit::kOk;
    Reply reply;
    Json json;   // of the reply, when it is JSON
    bool ok() const { return exit == Exit::kOk; }
    Json items() const { return json.is_object() ? json.value("items", Json::array()) : Json::array(); }
  };
  // What helps after a refusal; empty: what helps in general.
  using HintFor = std::function<std::string(const Reply&)>;
  Outcome call(const RestClient::Call& call, const HintFor& hint = {}) const;
  Outcome get(const std::string& path, const HintFor& hint = {}) const { return call({.path = path}, hint); }
  // A change: where the server demands If-Match, that of what is changed, or of the document, as it is now.
  Outcome change(RestClient::Call call, const HintFor& hint = {}) const;
  // Without a word when it is refused: the caller looks into it.
  Outcome attempt(const RestClient::Call& call) const;

  // The reply as `-o` says: `text` for people, JSON as the API sent it, names one a line (`names`, or what the reply's
  // items are called).
  Exit show(const Outcome& outcome, const std::string& text) const {
    return show(outcome, text, names_in(outcome.json));
  }
  Exit show(const Outcome& outcome, const std::string& text, const std::vector<std::string>& names) const;
  Exit show(const Outcome& outcome, const Table& rows, const std::string& when_empty) const;

  // Kept when the person agreed: `--yes`, or a question on a terminal.
  Exit confirmed(const std::string& question) const;
  static std::vector<std::string> names_in(const Json& json);

  std::string painted(std::string_view text, Colour paint) const { return cli::painted(text, paint, colour_on()); }
  bool colour_on() const { return colour && for_people(); }
};

// Says what a refusal means and what helps; `errors[]` are left to the caller.
void print_refusal(const Reply& reply, const std::string& hint = {});
// The end of a problem's type: "last-target".
std::string problem_code(const Reply& reply);

// "did you mean 'app'? …", of the names that a list has under `key`; else how to see them.
std::string meant(const Session& session, const std::string& list_path, const char* key, const std::string& wrong,
                  const std::string& list_command);

// For people: a text as it is but for control characters, anything else as JSON; "-" for nothing.
std::string text_of(const Json& json, const char* key);

}   // namespace proxyd::cli
