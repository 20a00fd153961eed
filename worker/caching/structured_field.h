#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace proxyd::caching {

// One member of a structured field (RFC 9651): its key, when the field is a dictionary, and its value. Views into the
// field.
struct StructuredMember {
  enum class Kind : uint8_t {
    kInteger,
    kDecimal,
    kString,
    kToken,
    kBytes,
    kBoolean,
    kDate,
    kDisplayString,
    kInnerList
  };

  std::string_view key;
  Kind kind = Kind::kBoolean;
  int64_t integer = 0;     // of kInteger and kDate
  bool boolean = false;    // of kBoolean
  std::string_view text;   // of kString, between the quotes and with its backslashes, and of kToken
};

// Reads the members of one structured field in order; parameters and what inner lists hold are checked and passed over.
// A fault makes the whole field invalid (RFC 9651 4.2): nothing that was read before it counts. Linear, no allocation.
class StructuredField {
 public:
  enum class Type : uint8_t { kList, kDictionary };

  StructuredField(std::string_view field, Type type);

  // Nothing at the end, or at a fault.
  std::optional<StructuredMember> next();
  // Once next gave nothing: whether that was the end.
  bool well_formed() const { return !faulty_; }

 private:
  using Kind = StructuredMember::Kind;

  bool fail();
  bool at_end() const { return rest_.empty(); }
  bool take(char c);
  void skip_spaces();
  void skip_optional_white_space();
  bool begin_member();
  bool read_key(std::string_view& key);
  bool read_value(StructuredMember& member);
  bool read_inner_list();
  bool read_item(StructuredMember& member);
  bool read_number(StructuredMember& member);
  bool read_string(StructuredMember& member);
  bool read_bytes(StructuredMember& member);
  bool read_display_string(StructuredMember& member);
  bool read_parameters();

  std::string_view rest_;
  Type type_;
  bool first_ = true;
  bool faulty_ = false;
};

}   // namespace proxyd::caching
