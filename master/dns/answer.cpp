#include "master/dns/answer.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

namespace proxyd::dns {
namespace {

constexpr size_t kHeader = 12;
constexpr size_t kMostRecords = 256;
constexpr size_t kMostJumps = 64;
constexpr size_t kLongestName = 255;
constexpr uint32_t kMostTtl = 0x7FFFFFFF;   // more is none (RFC 2181 8)

// A place in the message. What would go beyond its end says so by `fits`.
struct Cursor {
  std::span<const uint8_t> message;
  size_t at = 0;
  bool fits = true;

  uint32_t number(size_t octets) {
    uint32_t value = 0;
    fits = fits && at + octets <= message.size();
    for (size_t i = 0; fits && i < octets; ++i) value = value << 8 | message[at++];
    return value;
  }
  uint16_t word() { return static_cast<uint16_t>(number(2)); }
};

// A label's octets as a host name's, or nothing: others could not be asked for.
bool is_plain(std::span<const uint8_t> label) {
  return std::all_of(label.begin(), label.end(), [](uint8_t octet) {
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') || (octet >= '0' && octet <= '9') ||
           octet == '-' || octet == '_';
  });
}

// The name at the cursor, which goes behind it (RFC 1035 4.1.4); empty: the root, or no name of a host.
std::string read_name(Cursor& cursor) {
  std::string name;
  bool plain = true;
  size_t at = cursor.at;
  std::optional<size_t> behind;
  for (size_t jumps = 0; cursor.fits;) {
    cursor.fits = at < cursor.message.size();
    const uint8_t length = cursor.fits ? cursor.message[at] : 0;
    if (length == 0) break;
    if (length >= 0xC0) {
      cursor.fits = at + 1 < cursor.message.size() && ++jumps <= kMostJumps;
      if (!behind) behind = at + 2;
      if (cursor.fits) at = static_cast<size_t>(length & 0x3F) << 8 | cursor.message[at + 1];
      continue;
    }
    cursor.fits = length < 0x40 && at + 1 + length <= cursor.message.size() && name.size() + length < kLongestName;
    if (!cursor.fits) break;
    const auto label = cursor.message.subspan(at + 1, length);
    plain = plain && is_plain(label);
    if (!name.empty()) name += '.';
    name.append(label.begin(), label.end());
    at += 1 + length;
  }
  cursor.at = behind.value_or(at + 1);
  return plain ? name : std::string();
}

void take_record(Answer& answer, RecordType type, Cursor data, size_t length) {
  if (type == RecordType::kSrv) {
    SrvRecord record;
    record.priority = data.word();
    record.weight = data.word();
    record.port = data.word();
    record.host = read_name(data);
    if (data.fits) answer.services.push_back(std::move(record));
    return;
  }
  const bool ipv4 = type == RecordType::kA;
  if (length != (ipv4 ? 4u : 16u)) return;
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(ipv4 ? AF_INET : AF_INET6, data.message.data() + data.at, text, sizeof text);
  answer.addresses.emplace_back(text);
}

}   // namespace

Result<Answer> read_answer(std::span<const uint8_t> message, RecordType type) {
  Cursor cursor{message, 4};
  const uint16_t questions = cursor.word();
  const uint16_t answers = cursor.word();
  cursor.at = kHeader;
  for (uint16_t i = 0; cursor.fits && i < questions; ++i) {
    read_name(cursor);
    cursor.number(4);
  }
  Answer answer;
  uint32_t ttl = kMostTtl;
  for (size_t i = 0; cursor.fits && i < std::min<size_t>(answers, kMostRecords); ++i) {
    read_name(cursor);
    const uint16_t found = cursor.word();
    cursor.word();   // the class
    const uint32_t of_this = cursor.number(4);
    const uint16_t length = cursor.word();
    cursor.fits = cursor.fits && cursor.at + length <= message.size();
    if (!cursor.fits) break;
    const bool asked_for = found == static_cast<uint16_t>(type);
    if (asked_for || found == static_cast<uint16_t>(RecordType::kCname))
      ttl = std::min(ttl, of_this > kMostTtl ? 0 : of_this);
    if (asked_for) take_record(answer, type, cursor, length);
    cursor.at += length;
  }
  if (!cursor.fits) return Error{"the answer is cut short or malformed"};
  answer.ttl = std::chrono::seconds(ttl);
  return answer;
}

}   // namespace proxyd::dns
