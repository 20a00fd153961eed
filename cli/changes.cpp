#include "cli/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "shared/config/decode.h"

namespace proxyd::cli {
namespace {

// Prefixed line by line.
std::string block(const Json& value, char sign) {
  std::istringstream yaml(config::to_yaml(value));
  std::string out;
  for (std::string line; std::getline(yaml, line);) out += fmt::format("{}     {}\n", sign, line);
  return out;
}

std::string inline_text(const Json& value) {
  std::string yaml = config::to_yaml(value);
  yaml.erase(yaml.find_last_not_of('\n') + 1);
  return yaml;
}

bool is_block(const Json& value) {
  return (value.is_object() && !value.empty()) || inline_text(value).find('\n') != std::string::npos;
}

// Where it is; a route, which the pointer only counts, by its name too.
std::string place(const Json& change) {
  const std::string pointer = change.value("pointer", "");
  const bool counted = pointer.find_last_not_of("0123456789") == pointer.rfind('/');
  const Json object = change.value(change.value("op", "") == "remove" ? "from" : "to", Json());
  const bool named = counted && object.is_object() && object.contains("name");
  return named ? fmt::format("{} '{}'", pointer, text_of(object, "name")) : pointer;
}

std::string note(const Json& change) {
  const std::string kind = text_of(change, "class");
  const Json added = change.value("added", Json());
  if (!added.is_object()) return fmt::format("  ({})", kind);
  return fmt::format("  ({}; added by {} at {}, revision {})", kind, text_of(added, "by"), text_of(added, "at"),
                     text_of(added, "revision"));
}

std::string names(const Json& list) { return fmt::format("{}", fmt::join(list.get<std::vector<std::string>>(), ", ")); }

std::string render_change(const Json& change) {
  const std::string op = change.value("op", "");
  const std::string pointer = place(change);
  const Json from = change.value("from", Json());
  const Json to = change.value("to", Json());
  const char sign = op == "add" ? '+' : op == "remove" ? '-' : '~';
  if (op == "add")
    return is_block(to) ? fmt::format("+ {}{}\n", pointer, note(change)) + block(to, '+')
                        : fmt::format("+ {}: {}{}\n", pointer, inline_text(to), note(change));
  if (op == "remove")
    return is_block(from) ? fmt::format("- {}{}\n", pointer, note(change)) + block(from, '-')
                          : fmt::format("- {}: {}{}\n", pointer, inline_text(from), note(change));
  if (op == "reorder") return fmt::format("~ {}: {} → {}{}\n", pointer, names(from), names(to), note(change));
  if (!is_block(from) && !is_block(to))
    return fmt::format("{} {}: {} → {}{}\n", sign, pointer, inline_text(from), inline_text(to), note(change));
  return fmt::format("{} {}{}\n", sign, pointer, note(change)) + block(from, '-') + block(to, '+');
}

std::string painted_lines(const std::string& text, bool colour) {
  std::istringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    const Colour paint = line[0] == '+' ? Colour::kGreen : line[0] == '-' ? Colour::kRed : Colour::kYellow;
    out += painted(line, paint, colour) + "\n";
  }
  return out;
}

// A section that goes as a whole is told object by object, for others may have added them.
Json by_object(const Json& changes) {
  Json all = Json::array();
  for (const Json& change : changes) {
    const Json objects = change.value("objects", Json::object());
    if (objects.empty() || !change["from"].is_object()) {
      all.push_back(change);
      continue;
    }
    for (const auto& [name, object] : change["from"].items()) {
      all.push_back({{"op", "remove"},
                     {"pointer", change.value("pointer", "") + "/" + name},
                     {"from", object},
                     {"class", text_of(change, "class")},
                     {"added", objects.value(name, Json())}});
    }
  }
  return all;
}

// The name of the object that a change adds or removes whole, when it is in that section.
bool is_object_of(const std::string& pointer, const std::string& section) {
  return pointer.starts_with("/" + section + "/") && std::count(pointer.begin(), pointer.end(), '/') == 2;
}

struct Turnover {
  size_t removed = 0;
  size_t added = 0;
};

Turnover turnover(const Json& changes, const std::string& section) {
  Turnover total;
  for (const Json& change : changes) {
    const std::string op = change.value("op", "");
    const std::string pointer = change.value("pointer", "");
    const bool whole = pointer == "/" + section;
    if (op == "remove") total.removed += whole ? change["from"].size() : is_object_of(pointer, section) ? 1 : 0;
    if (op == "add") total.added += whole ? change["to"].size() : is_object_of(pointer, section) ? 1 : 0;
  }
  return total;
}

}   // namespace

std::string render_changes(const Json& changes, bool colour) {
  std::string removals, others;
  for (const Json& change : by_object(changes))
    (change.value("op", "") == "remove" ? removals : others) += render_change(change);
  return painted_lines(removals + others, colour);
}

std::string render_removals(const Json& changes) {
  std::string out;
  for (const Json& change : by_object(changes)) {
    if (change.value("op", "") == "remove") out += fmt::format("- {}{}\n", place(change), note(change));
  }
  return out;
}

Json changes_between(const Json& from, const Json& to) {
  Json changes = Json::array();
  for (const config::Change& one : config::diff(from, to))
    changes.push_back(
        {{"op", one.op}, {"pointer", one.pointer}, {"from", one.from}, {"to", one.to}, {"class", one.change_class}});
  return changes;
}

std::string loses_most(const Json& changes, const Json& document) {
  const auto size_of = [&document](const char* section) { return document.value(section, Json::object()).size(); };
  const Turnover listeners = turnover(changes, "listeners");
  if (listeners.removed > 0 && listeners.removed >= size_of("listeners") + listeners.added)
    return "this leaves no listener";
  for (const char* section : {"hosts", "upstreams"}) {
    const size_t removed = turnover(changes, section).removed;
    if (removed * 2 > size_of(section))
      return fmt::format("this removes {} of {} {}", removed, size_of(section), section);
  }
  return {};
}

}   // namespace proxyd::cli
