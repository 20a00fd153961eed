#include "shared/ipc/inheritance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <map>

namespace proxyd::ipc {
namespace {

constexpr int kFirst = 3;   // behind stdin, stdout and stderr

}   // namespace

int& Inheritance::at(std::string_view name) {
  const auto found =
      std::find_if(descriptors.begin(), descriptors.end(), [name](const Inherited& one) { return one.name == name; });
  assert(found != descriptors.end());
  return found->descriptor;
}

std::vector<std::pair<int, int>> Inheritance::numbers() const {
  std::vector<std::pair<int, int>> all;
  for (const Inherited& one : descriptors) all.emplace_back(one.descriptor, kFirst + static_cast<int>(all.size()));
  for (const int wake : wakes) all.emplace_back(wake, kFirst + static_cast<int>(all.size()));
  return all;
}

std::string Inheritance::encode() const {
  std::string text = fmt::format("slot={},incarnation={},ceiling={}", slot, incarnation, ceiling);
  int number = kFirst;
  for (const Inherited& one : descriptors) text += fmt::format(",{}={}", one.name, number++);
  return text + fmt::format(",wakes={}", number);
}

Result<Inheritance> Inheritance::decode(std::string_view text) {
  std::map<std::string_view, uint64_t> values;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view pair = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const size_t equals = pair.find('=');
    uint64_t value = 0;
    const std::string_view digits = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
      return Error{fmt::format("--inherit: '{}' is not NAME=NUMBER; a worker is started by its master only", pair)};
    }
    values[pair.substr(0, equals)] = value;
  }
  const auto lacks = [](std::string_view name) {
    return Error{fmt::format("--inherit lacks '{}': master and worker differ in build", name)};
  };
  for (const std::string_view name : {"slot", "incarnation", "ceiling", "wakes"}) {
    if (!values.contains(name)) return lacks(name);
  }
  if (values["slot"] >= kWorkerSlots) return Error{fmt::format("--inherit: no worker slot {}", values["slot"])};
  Inheritance inheritance;
  inheritance.slot = static_cast<uint32_t>(values["slot"]);
  inheritance.incarnation = values["incarnation"];
  inheritance.ceiling = values["ceiling"];
  for (Inherited& one : inheritance.descriptors) {
    if (!values.contains(one.name)) return lacks(one.name);
    one.descriptor = static_cast<int>(values[one.name]);
  }
  int wake = static_cast<int>(values["wakes"]);
  for (int& one : inheritance.wakes) one = wake++;
  return inheritance;
}

}   // namespace proxyd::ipc
