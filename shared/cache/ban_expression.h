#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace proxyd::cache {

// An expression as bans have it: RE2's, of octets, found anywhere unless it says where. Owned by whoever looks at bans,
// any process. To make one allocates, to match may; both are bounded by 256 KiB, and matching by the length of the
// text. Never throws.
class BanExpression {
 public:
  BanExpression();   // none
  explicit BanExpression(std::string_view text);
  BanExpression(BanExpression&& other) noexcept;
  BanExpression& operator=(BanExpression&& other) noexcept;
  ~BanExpression();

  // Why it is none, in printable ASCII; empty when it is one.
  std::string fault() const;
  // Of none, all.
  bool matches(std::string_view text) const;

 private:
  std::unique_ptr<re2::RE2> expression_;
};

}   // namespace proxyd::cache
