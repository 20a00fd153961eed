#include "cli/rest/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "shared/config/decode.h"

namespace proxyd::cli {

void print_error(const std::string& cause, const std::string& hint) {
  std::fprintf(stderr, "error: %s\n", cause.c_str());
  if (!hint.empty()) std::fprintf(stderr, "hint: %s\n", hint.c_str());
}

void print_problem(const Reply& reply, const std::string& file) {
  const Json problem = reply.json();
  if (!problem.is_object()) return print_error(fmt::format("the server answered {}", reply.status));
  const Json errors = problem.value("errors", Json::array());
  print_error(problem.value("title", "refused") + ": " + problem.value("detail", ""), reply.status == 412 ? "look at the other change with `proxyctl diff -f FILE`, then apply again, or use --overwrite" : "");
  for (const Json& one : errors) {
    const std::string where = one.contains("line") ? fmt::format("{}:{}:{}: ", file.empty() ? "document" : file, one.value("line", 0), one.value("column", 0)) : "";
    const std::string suggestion = one.value("suggestion", "");
    std::fprintf(stderr, "%s%s: %s%s\n", where.c_str(), one.value("pointer", "").c_str(), one.value("message", "").c_str(), suggestion.empty() ? "" : (" (" + suggestion + ")").c_str());
  }
}

Session::Outcome Session::call(const RestClient::Call& call) const {
  const auto reply = client().call(call);
  if (!reply) {
    print_error(reply.error().message, "is it running? name it with --addr unix:PATH or http://HOST:PORT");
    return {Exit::kUnreachable, {}};
  }
  if (!reply->ok()) print_problem(*reply, "");
  return {exit_of(*reply), *reply};
}

Exit Session::show(const Outcome& outcome, const std::string& rendered) const {
  if (!outcome.ok()) return outcome.exit;
  if (output == "json") {
    std::cout << outcome.reply.body;
  } else if (output == "yaml") {
    std::cout << config::to_yaml(outcome.reply.json());
  } else if (output == "name") {
    for (const Json& item : outcome.reply.json().value("items", Json::array())) std::cout << text_of(item, item.contains("name") ? "name" : item.contains("id") ? "id" : "slot") << "\n";
  } else {
    std::cout << rendered;
  }
  return Exit::kOk;
}

bool Session::confirmed(const std::string& question) const {
  if (yes) return true;
  if (!::isatty(0)) {
    print_error(question + " needs --yes when nobody can be asked");
    return false;
  }
  std::fprintf(stderr, "%s? [y/N] ", question.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

}  // namespace proxyd::cli
