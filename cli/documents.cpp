#include "cli/documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "cli/output/streams.h"
#include "cli/session.h"
#include "shared/config/canonical.h"
#include "shared/config/schema.h"

namespace proxyd::cli {
namespace {

namespace fs = std::filesystem;
using config::Node;

constexpr std::string_view kRevisionLine = "# proxyd revision ";
constexpr size_t kMostFiles = 1000;

Result<std::string> text_of_file(const fs::path& path) {
  std::error_code fault;
  if (fs::is_directory(path, fault)) return Error{path.string() + " is a folder"};
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{fmt::format("{} cannot be read: {}", path.string(), std::strerror(errno))};
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

// How many steps of the pointer were written in that tree.
size_t depth_in(const Node& root, const std::string& pointer) {
  size_t depth = 0;
  const Node* above = &root;
  for (size_t slash = pointer.find('/'); slash != std::string::npos; ++depth) {
    slash = pointer.find('/', slash + 1);
    const Node* node = &root.at(std::string_view(pointer).substr(0, slash));
    if (node == above) break;
    above = node;
  }
  return depth;
}

Json problem_json(const config::Problem& one) {
  return {{"pointer", one.pointer}, {"line", one.line},       {"column", one.column},
          {"code", one.code},       {"message", one.message}, {"suggestion", one.suggestion}};
}

std::vector<fs::path> documents_in(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code fault;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, fault)) {
    const std::string extension = entry.path().extension();
    const bool hidden = entry.path().filename().string().starts_with('.');
    if (!hidden && (extension == ".yaml" || extension == ".yml" || extension == ".json")) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}   // namespace

Json without_places(Json problems) {
  for (Json& one : problems) {
    one.erase("line");
    one.erase("column");
  }
  return problems;
}

Json to_json(const std::vector<config::Problem>& problems) {
  Json all = Json::array();
  for (const config::Problem& one : problems) all.push_back(problem_json(one));
  return all;
}

config::Read Documents::File::read() const {
  return config::guess_format(text) == config::Format::kJson ? config::read_json(text) : config::read_yaml(text);
}

Result<Documents> Documents::read(const std::string& name) {
  Documents documents;
  documents.name_ = name == "-" ? "stdin" : name;
  std::error_code fault;
  if (name == "-") {
    documents.files_.push_back({"stdin", std::string{std::istreambuf_iterator<char>(std::cin), {}}, {}});
    documents.files_.front().root = documents.files_.front().read().root;
    return documents;
  }
  documents.is_folder_ = fs::is_directory(name, fault);
  const std::vector<fs::path> paths = documents.is_folder_ ? documents_in(name) : std::vector<fs::path>{name};
  if (paths.empty()) return Error{name + " has no *.yaml, *.yml or *.json"};
  if (paths.size() > kMostFiles) return Error{fmt::format("{} has more than {} documents", name, kMostFiles)};
  for (const fs::path& path : paths) {
    auto text = text_of_file(path);
    if (!text) return text.error();
    documents.files_.push_back({path.string(), std::move(*text), {}});
  }
  for (File& file : documents.files_) file.root = file.read().root;
  return documents;
}

std::string Documents::content_type() const {
  return is_one_text() && config::guess_format(text()) != config::Format::kJson ? "application/yaml"
                                                                                : "application/json";
}

// Sections are joined name by name; what two files say is an error at the second.
void Documents::join(Node& whole, const File& file, Json& errors) const {
  const auto twice = [&](const std::string& pointer, const Node& again, const Node& first) {
    errors.push_back({{"pointer", pointer},
                      {"file", file.name},
                      {"line", again.line},
                      {"column", again.column},
                      {"code", "duplicate-key"},
                      {"message", fmt::format("'{}' is in {}:{} too", again.text, file_of(pointer).name, first.line)},
                      {"suggestion", ""}});
  };
  for (const config::Member& section : file.root.members) {
    const std::string at = "/" + config::pointer_step(section.key.text);
    const auto known = std::find_if(whole.members.begin(), whole.members.end(),
                                    [&section](const config::Member& one) { return one.key.text == section.key.text; });
    if (known == whole.members.end()) {
      whole.members.push_back(section);
    } else if (!config::is_map_of_objects(section.key.text) || section.value.kind != Node::Kind::kMap ||
               known->value.kind != Node::Kind::kMap) {
      if (section.key.text != "version" || section.value.text != known->value.text) twice(at, section.key, known->key);
    } else {
      for (const config::Member& object : section.value.members) {
        const auto same =
            std::find_if(known->value.members.begin(), known->value.members.end(),
                         [&object](const config::Member& one) { return one.key.text == object.key.text; });
        if (same == known->value.members.end()) {
          known->value.members.push_back(object);
        } else {
          twice(at + "/" + config::pointer_step(object.key.text), object.key, same->key);
        }
      }
    }
  }
}

Documents::Composed Documents::composed(bool part) const {
  Composed composed;
  Node whole;
  whole.kind = Node::Kind::kMap;
  whole.line = whole.column = 1;
  for (const File& file : files_) {
    const config::Read read = file.read();
    for (const config::Problem& problem : read.problems) {
      Json error = problem_json(problem);
      error["file"] = file.name;
      composed.errors.push_back(std::move(error));
    }
    const bool map = read.root.kind == Node::Kind::kMap || read.root.kind == Node::Kind::kNull;
    if (read.problems.empty() && !map)
      composed.errors.push_back({{"pointer", ""},
                                 {"file", file.name},
                                 {"line", 1},
                                 {"column", 1},
                                 {"code", "type"},
                                 {"message", "a document is a map"},
                                 {"suggestion", ""}});
    join(whole, file, composed.errors);
  }
  if (!composed.errors.empty()) return composed;
  config::Canonical canonical = config::canonicalize(whole);
  for (const config::Problem& problem : canonical.problems) {
    if (part && problem.pointer == "/version" && !whole.find("version")) continue;
    composed.errors.push_back(problem_json(problem));
  }
  composed.json = std::move(canonical.json);
  return composed;
}

Json Documents::merged_into(Json document, const Json& composed) const {
  for (const File& file : files_) {
    for (const config::Member& section : file.root.members) {
      const std::string& name = section.key.text;
      const Json value = composed.value(name, Json::object());
      if (name == "version") continue;
      if (!config::is_map_of_objects(name)) {
        document[name] = value;
        continue;
      }
      for (const config::Member& object : section.value.members)
        document[name][object.key.text] = value.value(object.key.text, Json::object());
    }
  }
  return document;
}

config::Decoded Documents::decoded() const { return config::decode(text(), config::guess_format(text())); }

Result<std::string> Documents::base() const {
  std::string base;
  for (const File& file : files_) {
    if (!file.text.starts_with(kRevisionLine)) continue;
    const std::string line = file.text.substr(kRevisionLine.size(), file.text.find('\n') - kRevisionLine.size());
    const std::string number = line.substr(0, line.find_first_not_of("0123456789"));
    if (number.empty() || number.size() > 15)
      return Error{fmt::format("{}:1: '{}{}' names no revision", file.name, kRevisionLine, line)};
    if (!base.empty() && base != number)
      return Error{fmt::format("{} is based on revision {}, another file on {}", file.name, number, base)};
    base = number;
  }
  return base;
}

const Documents::File& Documents::file_of(const std::string& pointer) const {
  return *std::max_element(files_.begin(), files_.end(), [&pointer](const File& a, const File& b) {
    return depth_in(a.root, pointer) < depth_in(b.root, pointer);
  });
}

std::string Documents::located(const Json& problem) const {
  const std::string pointer = problem.value("pointer", "");
  const File& file = file_of(pointer);
  std::string place = problem.value("file", file.name);
  int line = problem.value("line", 0);
  int column = problem.value("column", 0);
  if (line == 0 && !pointer.empty()) {
    if (depth_in(file.root, pointer) == 0) place = "elsewhere in the document";
    const Node& node = file.root.at(pointer);
    line = depth_in(file.root, pointer) == 0 ? 0 : node.line;
    column = node.column;
  }
  if (line > 0) place += fmt::format(":{}:{}", line, column);
  const std::string suggestion = problem.value("suggestion", "");
  return fmt::format("{}: {}{}{}{}", place, pointer, pointer.empty() ? "" : ": ", problem.value("message", ""),
                     suggestion.empty() ? "" : " (" + suggestion + ")");
}

void Documents::print_errors(const Json& errors) const {
  for (const Json& error : errors) say(located(error));
  print_error(fmt::format("{} is not valid: {} error{}", name_, errors.size(), errors.size() == 1 ? "" : "s"),
              "nothing was changed; proxyctl config schema prints what a document may hold");
}

void Documents::print_warnings(const Json& warnings) const {
  for (const Json& warning : warnings) {
    Json named = warning;
    named["message"] = "warning: " + warning.value("message", "");
    say(located(named));
  }
}

}   // namespace proxyd::cli
