#include "cli/hints.h"

#include <array>
#include <string_view>

namespace proxyd::cli {
namespace {

struct Hint {
  std::string_view code;
  std::string_view text;
};

constexpr std::array<Hint, 24> kHints = {{
    {"unauthenticated",
     "send a token: proxyctl --token-file FILE …; root makes one: sudo proxyctl token create --name NAME --scope ROLE"},
    {"forbidden",
     "ask for more: sudo proxyctl token create --name NAME --scope SCOPE, then proxyctl --token-file FILE …"},
    {"read-only", "set admin.read_only to false in the bootstrap file and restart proxyd"},
    {"not-found", "proxyctl status shows what is running"},
    {"method", "proxyctl api GET openapi.json lists every call"},
    {"unknown-parameter", "proxyctl and proxyd are of different versions: proxyctl version"},
    {"already-exists", "proxyctl upstream list"},
    {"in-use", "remove what uses it first: proxyctl export shows it"},
    {"last-target", "its upstream would be empty; all the same: --force"},
    {"not-drained", "give more time: --drain; or cut what still runs: without --keep"},
    {"not-dynamic", "add and remove them one by one: proxyctl upstream target add, remove; or say membership: dynamic"},
    {"config-managed-by-file", "change that file, then: proxyctl reload"},
    {"changed-meanwhile", "take over both: proxyctl export; or write over it: --overwrite"},
    {"precondition-required", "say what you started from: --base-revision N (proxyctl config history)"},
    {"too-large", "a document has at most 8 MiB"},
    {"misdirected", "use the address that admin.tcp.address names, or add this name to admin.tcp.hostnames"},
    {"too-many", "wait 5 minutes, or use the unix socket: --addr unix:/run/proxyd/admin.sock"},
    {"activation-failed", "nothing was changed; correct it and apply it again"},
    {"store-busy", "try again; if it stays so: proxyctl status"},
    {"handing-over", "try again in a moment"},
    {"too-many-streams", "end another proxyctl events -f, or close a browser"},
    {"worker-timeout", "see whether the workers are well: proxyctl worker list"},
    {"store-full", "make room on the disk that holds state_dir, then try again"},
    {"internal", "proxyd's error log says more under this request"},
}};

}   // namespace

std::string hint_for(const std::string& code) {
  for (const Hint& hint : kHints) {
    if (hint.code == code) return std::string(hint.text);
  }
  return {};
}

}   // namespace proxyd::cli
