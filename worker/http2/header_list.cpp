#include "worker/http2/header_list.h"

#include <algorithm>

#include "shared/base/bytes.h"
#include "worker/http/characters.h"
#include "worker/http/list.h"
#include "worker/http2/field_text.h"
#include "worker/http2/outgoing_field.h"

namespace proxyd::http2 {
namespace {

using http::FieldName;

constexpr size_t kFieldOverhead = 12;   // what HPACK may need beside the texts, at most

uint8_t* octets_of(std::string_view text) {   // nghttp2 asks for what it does not change
  return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
}

std::string_view copy(std::string_view text, http::Arena& arena) {
  char* to = arena.allocate_text(text.size());
  put_octets(to, text);
  return {to, text.size()};
}

// Empty for what is no name.
std::string_view lower_name(std::string_view name, http::Arena& arena) {
  uint8_t all = http::character::kToken;
  for (const char c : name) all &= http::classes_of(c);
  if (all == 0) return {};
  char* to = arena.allocate_text(name.size());
  std::transform(name.begin(), name.end(), to, ascii_lower);
  return {to, name.size()};
}

}   // namespace

void HeaderList::grow() {
  auto* list = arena_.allocate_array<nghttp2_nv>(capacity_ * 2);
  std::copy_n(list_, size_, list);
  list_ = list;
  capacity_ *= 2;
}

void HeaderList::add_ready(std::string_view name, std::string_view value) {
  if (size_ == capacity_) grow();
  list_[size_++] = {octets_of(name), octets_of(value), name.size(), value.size(),
                    NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
  octets_ += name.size() + value.size() + kFieldOverhead;
}

void HeaderList::add(FieldName known, std::string_view name, std::string_view value) {
  if ((http::bit_of(known) & (kOfConnections | unwanted_)) != 0) return;
  if (known == FieldName::kTe) {
    if (equals_ignoring_case(value, "trailers")) add_ready("te", "trailers");
    return;
  }
  if (!is_field_text(value)) return;
  const std::string_view lower = known == FieldName::kOther ? lower_name(name, arena_) : http::to_lower_string(known);
  if (!lower.empty()) add_ready(lower, copy(http::trim(value), arena_));
}

void HeaderList::add(const http::Fields& fields) {
  for (const http::Field& field : fields) add(field.known, field.name, field.value);
}

void HeaderList::add_lines(std::string_view lines) {
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    if (value.ends_with('\r')) value.remove_suffix(1);
    add(http::field_name_from(name), name, value);
  }
}

}   // namespace proxyd::http2
