#include "worker/proxy/intermediary_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

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

// Fields that Connection names go with it (RFC 9110 7.6.1). Here those that we have no number for.
void remove_other_named(Fields& fields, const Fields& original) {
  http::ListMembers options(original.combined(FieldName::kConnection));
  std::string_view option;
  while (options.next(option)) {
    if (http::field_name_from(option) == FieldName::kOther) fields.remove(option);
  }
}

Fields copy_without(const Fields& original, uint64_t unwanted, http::Arena& arena) {
  Fields fields(arena);
  for (const Field& field : original) {
    if ((bit_of(field.known) & unwanted) == 0) fields.add(field);
  }
  return fields;
}

std::string_view append_to_list(const Fields& original, FieldName name, std::string_view member, http::Arena& arena) {
  const std::string_view list = original.combined(name);
  return list.empty() ? member : arena.concat(list, ", ", member);
}

// for=192.0.2.1;host=example.com;proto=http (RFC 7239 4, 6): what is no token is quoted, lest a host that holds ";for="
// say whom the request is from. No authority holds a quote. The peer of a unix socket has no address.
std::string_view forwarded_element(const routing::RequestFacts& facts, http::Arena& arena) {
  using namespace std::string_view_literals;
  const std::string_view peer = facts.peer_text;
  const bool unknown = peer.starts_with("unix");
  const bool ipv6 = !unknown && peer.find(':') != std::string_view::npos;
  const bool quoted = !std::all_of(facts.authority.begin(), facts.authority.end(),
                                   [](char c) { return http::is_in(c, http::character::kToken); });
  const std::string_view host_label = facts.host.empty() ? ""sv : quoted ? ";host=\""sv : ";host="sv;
  return arena.concat(ipv6 ? "for=\"["sv : "for="sv, unknown ? "unknown"sv : peer, ipv6 ? "]\""sv : ""sv, host_label,
                      facts.authority, quoted ? "\";proto="sv : ";proto="sv, http::to_string(facts.scheme));
}

void add_forwarding(Fields& fields, const routing::RequestFacts& facts, http::Arena& arena) {
  const Fields& original = facts.head->fields;
  const std::string_view element = forwarded_element(facts, arena);
  const bool trusted = facts.from_trusted_proxy;
  fields.add(FieldName::kForwarded,
             trusted ? append_to_list(original, FieldName::kForwarded, element, arena) : element);
  // Each hop adds whom it got the request from, so that the list leads from the client to us (RFC 7239 5.2).
  fields.add(FieldName::kXForwardedFor,
             trusted ? append_to_list(original, FieldName::kXForwardedFor, facts.peer_text, arena) : facts.peer_text);
  fields.add(FieldName::kXForwardedProto, http::to_string(facts.scheme));
  if (!facts.host.empty()) fields.add(FieldName::kXForwardedHost, facts.authority);
  const bool has_port = facts.authority.size() > facts.host.size();
  fields.add(FieldName::kXForwardedPort,
             has_port ? facts.authority.substr(facts.host.size() + 1) : arena.number(facts.port));
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

Identity identify(const Fields& fields, bool trusted, std::string_view fresh) {
  Identity identity{.request_id = fresh, .trace_id = fresh, .parent = fresh.substr(16)};
  if (!trusted) return identity;
  const std::string_view given_id = fields.value(FieldName::kXRequestId);
  if (is_request_id(given_id)) identity.request_id = given_id;
  const std::string_view given_trace = fields.value(FieldName::kTraceparent);
  if (is_traceparent(given_trace)) {
    identity.trace_continued = true;
    identity.trace_id = given_trace.substr(3, 32);
    identity.flags = given_trace.substr(53);
  }
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
  fields.set(to_string(FieldName::kMaxForwards), arena.number(hops - 1));
}

// 00-<32 digits>-<16>-<2>: each part has its size, which the compiler may know.
std::string_view traceparent(const Identity& identity, http::Arena& arena) {
  constexpr std::string_view kForm = "00-00000000000000000000000000000000-0000000000000000-00";
  char* const text = arena.allocate_text(kForm.size());
  std::memcpy(text, kForm.data(), kForm.size());
  std::memcpy(text + 3, identity.trace_id.data(), 32);
  std::memcpy(text + 36, identity.parent.data(), 16);
  std::memcpy(text + 53, identity.flags.data(), 2);
  return {text, kForm.size()};
}

std::string_view via(http::Version version) {
  switch (version) {
    case http::Version::kHttp10: return "1.0 proxyd";
    case http::Version::kHttp11: return "1.1 proxyd";
    case http::Version::kHttp2: return "2.0 proxyd";
  }
  return {};
}

}   // namespace

Fields make_request_fields(const routing::RequestFacts& facts, const Fields& original, const Identity& identity,
                           http::Arena& arena) {
  const http::RequestHead& head = *facts.head;
  uint64_t unwanted = kHopByHop | kFraming | kOurs | head.connection.fields;
  if (!identity.trace_continued) unwanted |= bit_of(FieldName::kTracestate);
  Fields fields = copy_without(original, unwanted, arena);
  if (head.connection.other_fields > 0) remove_other_named(fields, original);
  if (!facts.from_trusted_proxy && fields.has(FieldName::kOther)) fields.remove_with_prefix("X-Forwarded-");
  if (takes_trailers(original)) {
    fields.add(FieldName::kTe, "trailers");
    fields.add(FieldName::kConnection, "TE");
  }
  lower_max_forwards(fields, head, arena);
  add_forwarding(fields, facts, arena);
  fields.add(FieldName::kVia, append_to_list(original, FieldName::kVia, via(head.version), arena));
  fields.add(FieldName::kCdnLoop, append_to_list(original, FieldName::kCdnLoop, kPseudonym, arena));
  fields.add(FieldName::kXRequestId, identity.request_id);
  fields.add(FieldName::kTraceparent, traceparent(identity, arena));
  return fields;
}

void adapt_response_fields(http::ResponseHead& head, bool keep_length, http::Arena& arena) {
  Fields& fields = head.fields;
  const std::string_view path = append_to_list(fields, FieldName::kVia, via(head.version), arena);
  uint64_t unwanted = kHopByHop | bit_of(FieldName::kVia) | head.connection.fields;
  if (keep_length) {
    unwanted &= ~bit_of(FieldName::kContentLength);
  } else {
    unwanted |= bit_of(FieldName::kContentLength);
  }
  if (head.connection.other_fields > 0) remove_other_named(fields, fields);
  fields.remove_all(unwanted);
  fields.add(FieldName::kVia, path);
}

Fields make_trailers(const Fields& trailers, http::Arena& arena) {
  return copy_without(trailers, kNeverInTrailers, arena);
}

}   // namespace proxyd::proxy
