#include "worker/http2/priority.h"

#include "shared/base/bytes.h"
#include "worker/http/list.h"

namespace proxyd::http2 {
namespace {

// One member of the dictionary, without its parameters, which mean nothing here (RFC 8941 3.2).
void take_member(std::string_view member, Priority& priority) {
  member = http::trim(member.substr(0, member.find(';')));
  if (member.size() == 3 && member.starts_with("u=") && member[2] >= '0' && member[2] <= '7') {
    priority.urgency = static_cast<uint8_t>(member[2] - '0');
  } else if (member == "i" || member == "i=?1") {
    priority.incremental = true;
  } else if (member == "i=?0") {
    priority.incremental = false;
  }
}

}   // namespace

Priority parse_priority(std::string_view text) {
  Priority priority;
  http::ListMembers members(text);
  std::string_view member;
  while (members.next(member)) take_member(member, priority);
  return priority;
}

}   // namespace proxyd::http2
