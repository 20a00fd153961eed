#include "shared/ipc/inheritance.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "shared/memory/worker_slots.h"

namespace proxyd::ipc {

std::string Inheritance::encode() const {
  return fmt::format("slot={},incarnation={},control={},metrics={},status={},rejects={}", slot, incarnation, control,
                     metrics, status, rejects);
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
  for (const std::string_view name : {"slot", "incarnation", "control", "metrics", "status", "rejects"}) {
    if (!values.contains(name))
      return Error{fmt::format("--inherit lacks '{}': master and worker differ in build", name)};
  }
  if (values["slot"] >= kWorkerSlots) return Error{fmt::format("--inherit: no worker slot {}", values["slot"])};
  const auto descriptor = [&values](std::string_view name) { return static_cast<int>(values[name]); };
  return Inheritance{static_cast<uint32_t>(values["slot"]),
                     values["incarnation"],
                     descriptor("control"),
                     descriptor("metrics"),
                     descriptor("status"),
                     descriptor("rejects")};
}

}   // namespace proxyd::ipc
