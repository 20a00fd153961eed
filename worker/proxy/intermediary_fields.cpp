#include "worker/proxy/intermediary_fields.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "shared/base/bytes.h"
#include "worker/http/characters.h"
#include "worker/http/list.h"

namespace proxyd::proxy {
namespace {

using http::bit_of;
using http::Field;
using http::FieldName;
using http::Fields;

constexpr std::string_view kPseudonym = "proxyd";
constexpr int kMostVisits = 3;

constexpr uint64_t kHopByHop =
    bit_of(FieldName::kConnection) | bit_of(FieldName::kKeepAlive) | bit_of(FieldName::kProxyConnection) |
    bit_of(FieldName::kTe) | bit_of(FieldName::kTransferEncoding) | bit_of(FieldName::kUpgrade) |
    bit_of(FieldName::kHttp2Settings) | bit_of(FieldName::kProxyAuthenticate) | bit_of(FieldName::kProxyAuthorization);
constexpr uint64_t kFraming = bit_of(FieldName::kContentLength) | bit_of(FieldName::kHost) | bit_of(FieldName::kExpect);
// Set by us, so never taken over as they came.
constexpr uint64_t kOurs =
    bit_of(FieldName::kForwarded) | bit_of(FieldName::kXForwardedFor) | bit_of(FieldName::kXForwardedHost) |
    bit_of(FieldName::kXForwardedPort) | bit_of(FieldName::kXForwardedProto) | bit_of(FieldName::kXRealIp) |
    bit_of(FieldName::kXRequestId) | bit_of(FieldName::kTraceparent) | bit_of(FieldName::kVia) |
    bit_of(FieldName::kCdnLoop) | bit_of(FieldName::kXOriginalUrl) | bit_of(FieldName::kXRewriteUrl);
constexpr uint64_t kNeverInTrailers =
    kHopByHop | kFraming | kOurs | bit_of(FieldName::kTrailer) | bit_of(FieldName::kSetCookie) |
    bit_of(FieldName::kCookie) | bit_of(FieldName::kAuthorization) | bit_of(FieldName::kContentEncoding) |
    bit_of(FieldName::kContentType) | bit_of(FieldName::kContentRange) | bit_of(FieldName::kCacheControl) |
    bit_of(FieldName::kAge) | bit_of(FieldName::kDate) | bit_of(FieldName::kExpires) | bit_of(FieldName::kVary) |
    bit_of(FieldName::kLocation) | bit_of(FieldName::kRetryAfter);

// Fields that Connection names go with it (RFC 9110 7.6.1); what we need or set ourselves does not.
void remove_named_by_connection(Fields& fields, const Fields& original) {
  if (!original.has(FieldName::kConnection)) return;
  http::ListMembers options(original.combined(FieldName::kConnection));
  std::string_view option;
  while (options.next(option)) {
    if (equals_ignoring_case(option, "close") || equals_ignoring_case(option, "keep-alive")) continue;
    fields.remove(option);
  }
}

Fields copy_without(const Fields& original, uint64_t unwanted, http::Arena& arena) {
  Fields fields(arena);
  for (const Field& field : original) {
    if ((bit_of(field.known) & unwanted) == 0) fields.add(field);
  }
  remove_named_by_connection(fields, original);
  return fields;
}

std::string_view append_to_list(const Fields& original, FieldName name, std::string_view member, http::Arena& arena) {
  const std::string_view list = original.combined(name);
  return list.empty() ? member : arena.concat(list, ", ", member);
}

// for=192.0.2.1;host=example.com;proto=http (RFC 7239 4, 6): an IPv6 address and a port need quotes; the peer of a unix
// socket has no address.
std::string_view forwarded_element(const routing::RequestFacts& facts, std::string_view authority, http::Arena& arena) {
  const bool unknown = facts.peer_text.starts_with("unix");
  const bool ipv6 = !unknown && facts.peer_text.find(':') != std::string_view::npos;
  const bool quoted = authority.find_first_of(":[") != std::string_view::npos;
  const std::string_view host_label = authority.empty() ? "" : quoted ? ";host=\"" : ";host=";
  return arena.concat(ipv6 ? "for=\"[" : "for=", unknown ? "unknown" : facts.peer_text, ipv6 ? "]\"" : "", host_label,
                      authority, quoted ? "\"" : "", ";proto=", http::to_string(facts.scheme));
}

std::string_view port_text(uint16_t port, http::Arena& arena) {
  if (port == 80) return "80";
  if (port == 443) return "443";
  char* text = arena.allocate_text(5);
  const auto [end, error] = std::to_chars(text, text + 5, port);
  return {text, static_cast<size_t>(end - text)};
}

void add_forwarding(Fields& fields, const routing::RequestFacts& facts, http::Arena& arena) {
  const Fields& original = facts.head->fields;
  const bool other_port = facts.port != http::default_port(facts.scheme);
  const std::string_view port = port_text(facts.port, arena);
  const std::string_view authority =
      other_port && !facts.host.empty() ? arena.concat(facts.host, ":", port) : facts.host;
  const std::string_view element = forwarded_element(facts, authority, arena);
  const bool trusted = facts.from_trusted_proxy;
  fields.add(FieldName::kForwarded,
             trusted ? append_to_list(original, FieldName::kForwarded, element, arena) : element);
  // Each hop adds whom it got the request from, so that the list leads from the client to us (RFC 7239 5.2).
  fields.add(FieldName::kXForwardedFor,
             trusted ? append_to_list(original, FieldName::kXForwardedFor, facts.peer_text, arena) : facts.peer_text);
  fields.add(FieldName::kXForwardedProto, http::to_string(facts.scheme));
  if (!authority.empty()) fields.add(FieldName::kXForwardedHost, authority);
  fields.add(FieldName::kXForwardedPort, port);
  fields.add(FieldName::kXRealIp, facts.client_text);
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

// version 00: two, 32, 16 and two digits in lower case; neither id all zero.
bool is_traceparent(std::string_view text) {
  if (text.size() != 55 || !text.starts_with("00-") || text[35] != '-' || text[52] != '-') return false;
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  const auto zero = [](std::string_view id) { return id.find_first_not_of('0') == std::string_view::npos; };
  return is_hex(trace) && is_hex(parent) && is_hex(text.substr(53)) && !zero(trace) && !zero(parent);
}

bool is_request_id(std::string_view text) {
  const auto plain = [](char c) {
    return http::is_in(c, http::character::kUnreserved) || std::string_view("+/=:@").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), plain);
}

int visits(const Fields& fields, FieldName name, bool last_word) {
  int count = 0;
  http::ListMembers members(fields.combined(name));
  std::string_view member;
  while (members.next(member)) {
    std::string_view id = http::trim(member.substr(0, member.find(';')));
    if (last_word) id = id.substr(std::min(id.find(' ') + 1, id.size()));
    count += id.substr(0, id.find(' ')) == kPseudonym ? 1 : 0;
  }
  return count;
}

}   // namespace

Identity identify(const Fields& fields, bool trusted, std::string_view fresh, std::string_view parent,
                  http::Arena& arena) {
  Identity identity{fresh, {}, fresh, false};
  const std::string_view given_id = trusted ? fields.value(FieldName::kXRequestId) : std::string_view();
  if (is_request_id(given_id)) identity.request_id = given_id;
  const std::string_view given_trace = trusted ? fields.value(FieldName::kTraceparent) : std::string_view();
  std::string_view flags = "00";
  if (is_traceparent(given_trace)) {
    identity.trace_continued = true;
    identity.trace_id = given_trace.substr(3, 32);
    flags = given_trace.substr(53);
  }
  identity.traceparent = arena.concat("00-", identity.trace_id, "-", parent, "-", flags);
  return identity;
}

bool is_loop(const Fields& fields) {
  if (!fields.has(FieldName::kCdnLoop) && !fields.has(FieldName::kVia)) return false;
  return visits(fields, FieldName::kCdnLoop, false) >= kMostVisits ||
         visits(fields, FieldName::kVia, true) >= kMostVisits;
}

namespace {

// Trailers are handed on, so the origin may send them to a client that takes them (RFC 9110 10.1.4).
bool takes_trailers(const Fields& original) {
  if (!original.has(FieldName::kTe)) return false;
  http::ListMembers codings(original.combined(FieldName::kTe));
  std::string_view coding;
  while (codings.next(coding)) {
    if (equals_ignoring_case(coding, "trailers")) return true;
  }
  return false;
}

// RFC 9110 7.6.2: one hop fewer from here on. Only OPTIONS comes here with it; zero ended here.
void lower_max_forwards(Fields& fields, const http::RequestHead& head, http::Arena& arena) {
  const Field* field = head.method == http::Method::kOptions ? fields.find(FieldName::kMaxForwards) : nullptr;
  if (!field) return;
  uint32_t hops = 0;
  const std::string_view value = field->value;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), hops);
  if (end != value.data() + value.size() || value.empty() || hops == 0) return;   // no number, or beyond any path
  char* text = arena.allocate_text(10);
  const auto written = std::to_chars(text, text + 10, hops - 1);
  fields.set(to_string(FieldName::kMaxForwards), {text, static_cast<size_t>(written.ptr - text)});
}

}   // namespace

Fields make_request_fields(const routing::RequestFacts& facts, const Identity& identity, http::Arena& arena) {
  const Fields& original = facts.head->fields;
  uint64_t unwanted = kHopByHop | kFraming | kOurs;
  if (!identity.trace_continued) unwanted |= bit_of(FieldName::kTracestate);
  Fields fields = copy_without(original, unwanted, arena);
  if (takes_trailers(original)) {
    fields.add(FieldName::kTe, "trailers");
    fields.add(FieldName::kConnection, "TE");
  }
  lower_max_forwards(fields, *facts.head, arena);
  add_forwarding(fields, facts, arena);
  const std::string_view via = facts.head->version == http::Version::kHttp10 ? "1.0 proxyd" : "1.1 proxyd";
  fields.add(FieldName::kVia, append_to_list(original, FieldName::kVia, via, arena));
  fields.add(FieldName::kCdnLoop, append_to_list(original, FieldName::kCdnLoop, kPseudonym, arena));
  fields.add(FieldName::kXRequestId, identity.request_id);
  fields.add(FieldName::kTraceparent, identity.traceparent);
  return fields;
}

Fields make_response_fields(const http::ResponseHead& head, bool keep_length, std::string_view date,
                            http::Arena& arena) {
  uint64_t unwanted = kHopByHop | bit_of(FieldName::kVia);
  if (!keep_length) unwanted |= bit_of(FieldName::kContentLength);
  Fields fields = copy_without(head.fields, unwanted, arena);
  if (!head.fields.has(FieldName::kDate)) fields.add(FieldName::kDate, date);
  const std::string_view via = head.version == http::Version::kHttp10 ? "1.0 proxyd" : "1.1 proxyd";
  fields.add(FieldName::kVia, append_to_list(head.fields, FieldName::kVia, via, arena));
  return fields;
}

Fields make_trailers(const Fields& trailers, http::Arena& arena) {
  return copy_without(trailers, kNeverInTrailers, arena);
}

}   // namespace proxyd::proxy
