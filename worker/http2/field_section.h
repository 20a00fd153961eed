#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "worker/http/fields.h"
#include "worker/http/refusal.h"
#include "worker/http2/checked_field.h"
#include "worker/http2/priority.h"
#include "worker/http2/settings.h"

namespace proxyd::http2 {

// The fields of a message that begin with a colon: each once, before all others. Views into the message's arena.
struct PseudoFields {
  std::string_view method;
  std::string_view scheme;
  std::string_view authority;
  std::string_view path;
  std::string_view protocol;
  std::string_view status;
  uint8_t seen = 0;

  bool has(Pseudo name) const { return (seen & static_cast<uint8_t>(name)) != 0; }
};

// Takes the fields of one header block as they are decoded and copies them into the message's arena, names that we know
// excepted, if they may be where they are (RFC 9113 8.2, 8.3); crumbs of cookies become one field. The first thing
// wrong is kept, and nothing is copied after it, so that no list grows beyond what is allowed. State of a session, used
// for one block after the other.
class FieldSection {
 public:
  enum class Kind : uint8_t { kRequest, kResponse, kTrailers };

  static constexpr uint32_t kMostCrumbs = 512;

  explicit FieldSection(const Settings& settings) : settings_(&settings) {}

  // `fields` is empty and outlives the block.
  void begin(Kind kind, http::Fields& fields);
  void add(const CheckedField& field);
  // Behind the last field; kNone, or why the message is refused.
  http::Refusal end();

  const PseudoFields& pseudo() const { return pseudo_; }
  // As RFC 9113 6.5.2 counts it, whether it was kept or not.
  size_t list_size() const { return list_size_; }
  uint32_t field_lines() const { return lines_; }
  Priority priority() const { return priority_; }

 private:
  struct Crumb;

  bool has_room_for(const CheckedField& field);
  http::Refusal add_pseudo(const CheckedField& field);
  http::Refusal add_regular(const CheckedField& field);
  void add_crumb(std::string_view value);
  void join_crumbs();
  uint8_t allowed_pseudo() const;

  const Settings* settings_;
  http::Fields* fields_ = nullptr;
  Kind kind_ = Kind::kRequest;
  bool regular_seen_ = false;
  http::Refusal refusal_ = http::Refusal::kNone;
  PseudoFields pseudo_;
  Priority priority_;
  size_t list_size_ = 0;
  size_t most_octets_ = 0;
  uint32_t lines_ = 0;
  uint32_t crumbs_ = 0;
  size_t crumbs_size_ = 0;
  size_t cookie_at_ = 0;   // among the fields
  Crumb* first_crumb_ = nullptr;
  Crumb* last_crumb_ = nullptr;
};

}   // namespace proxyd::http2
