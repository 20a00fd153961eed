#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace proxyd::cache {

// An expression as bans have it: RE2's, of octets, found anywhere unless it says where. Owned by whoever looks at bans,
// any process. To make one allocates, to match may; both are bounded by 1 MiB, and matching by the length of the
// text unless it is too large. With a fault it matches all. Throws bad_alloc alone.
class BanExpression {
 public:
  BanExpression();   // none
  explicit BanExpression(std::string_view text);
  BanExpression(BanExpression&& other) noexcept;
  BanExpression& operator=(BanExpression&& other) noexcept;
  ~BanExpression();

  // Why it is none, in printable ASCII; empty when it is one.
  std::string fault() const;
  // To be matched by an automaton within its memory, once repetitions are written out.
  bool is_too_large() const;
  // Of none, all.
  bool matches(std::string_view text) const;

 private:
  std::unique_ptr<re2::RE2> expression_;
};

}   // namespace proxyd::cache
