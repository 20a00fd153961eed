#include "worker/http2/header_table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

namespace proxyd::http2 {
namespace {

struct Known {
  std::string_view name;
  std::string_view value;
};

// RFC 7541 A.
constexpr std::array<Known, HeaderTable::kStaticFields> kStatic = {{
    {":authority", ""},
    {":method", "GET"},
    {":method", "POST"},
    {":path", "/"},
    {":path", "/index.html"},
    {":scheme", "http"},
    {":scheme", "https"},
    {":status", "200"},
    {":status", "204"},
    {":status", "206"},
    {":status", "304"},
    {":status", "400"},
    {":status", "404"},
    {":status", "500"},
    {"accept-charset", ""},
    {"accept-encoding", "gzip, deflate"},
    {"accept-language", ""},
    {"accept-ranges", ""},
    {"accept", ""},
    {"access-control-allow-origin", ""},
    {"age", ""},
    {"allow", ""},
    {"authorization", ""},
    {"cache-control", ""},
    {"content-disposition", ""},
    {"content-encoding", ""},
    {"content-language", ""},
    {"content-length", ""},
    {"content-location", ""},
    {"content-range", ""},
    {"content-type", ""},
    {"cookie", ""},
    {"date", ""},
    {"etag", ""},
    {"expect", ""},
    {"expires", ""},
    {"from", ""},
    {"host", ""},
    {"if-match", ""},
    {"if-modified-since", ""},
    {"if-none-match", ""},
    {"if-range", ""},
    {"if-unmodified-since", ""},
    {"last-modified", ""},
    {"link", ""},
    {"location", ""},
    {"max-forwards", ""},
    {"proxy-authenticate", ""},
    {"proxy-authorization", ""},
    {"range", ""},
    {"referer", ""},
    {"refresh", ""},
    {"retry-after", ""},
    {"server", ""},
    {"set-cookie", ""},
    {"strict-transport-security", ""},
    {"transfer-encoding", ""},
    {"user-agent", ""},
    {"vary", ""},
    {"via", ""},
    {"www-authenticate", ""},
}};

std::array<CheckedField, kStatic.size()> check_static() {
  std::array<CheckedField, kStatic.size()> fields;
  std::transform(kStatic.begin(), kStatic.end(), fields.begin(), [](const Known& known) {
    return CheckedField{known.name, known.value, classify(known.name, known.value), true};
  });
  return fields;
}

const std::array<CheckedField, kStatic.size()> kCheckedStatic = check_static();

}   // namespace

HeaderTable::~HeaderTable() {
  evict_until(0);
  if (ring_) memory_.release(ring_, capacity_ * sizeof(Entry));
}

const CheckedField* HeaderTable::find(size_t index) const {
  if (index - 1 < kStaticFields) return &kCheckedStatic[index - 1];
  const size_t age = index - 1 - kStaticFields;
  return index > kStaticFields && age < count_ ? &at(age).field : nullptr;
}

void HeaderTable::evict_last() {
  Entry& last = at(count_ - 1);
  --count_;
  octets_ -= last.size() + kOverhead;
  if (last.size() > 0) memory_.release(last.text, last.size());
}

void HeaderTable::evict_until(size_t most) {
  while (count_ > 0 && octets_ > most) evict_last();
}

void HeaderTable::resize(size_t most) {
  most_ = most;
  evict_until(most);
}

void HeaderTable::grow() {
  const size_t capacity = capacity_ == 0 ? 16 : capacity_ * 2;
  auto* ring = static_cast<Entry*>(memory_.allocate(capacity * sizeof(Entry)));
  for (size_t age = 0; age < count_; ++age) new (ring + age) Entry(at(age));
  for (size_t i = count_; i < capacity; ++i) new (ring + i) Entry();
  if (ring_) memory_.release(ring_, capacity_ * sizeof(Entry));
  ring_ = ring;
  capacity_ = capacity;
  newest_ = 0;
}

// The texts are copied before anything is evicted: they may be those of what leaves (RFC 7541 4.4).
void HeaderTable::insert(const CheckedField& field) {
  if (!has_room_for(field)) return evict_until(0);
  const size_t size = field.name.size() + field.value.size();
  if (count_ == capacity_) grow();
  Entry entry{.field = {{}, {}, field.is}};
  if (size > 0) {
    entry.text = static_cast<char*>(memory_.allocate(size));
    field.name.copy(entry.text, field.name.size());
    field.value.copy(entry.text + field.name.size(), field.value.size());
  }
  entry.field.name = {entry.text, field.name.size()};
  entry.field.value = {entry.text + field.name.size(), field.value.size()};
  evict_until(most_ - size - kOverhead);
  newest_ = (newest_ - 1) & (capacity_ - 1);
  at(0) = entry;
  ++count_;
  octets_ += size + kOverhead;
}

}   // namespace proxyd::http2
