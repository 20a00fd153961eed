#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace proxyd::store {

// Keeps secrets of the database from whoever has the database alone: AES-256-GCM under a key that lies beside it, in
// `<folder>/certificates.key` (mode 0600), and is in no copy of it. A value; the master.
class KeySeal {
 public:
  // Fails when the file is no such key; without `make` also when there is none.
  enum class Missing { kMake, kRefuse };
  static Result<KeySeal> open(const std::string& folder, Missing missing);
  ~KeySeal();
  KeySeal(const KeySeal&) = default;
  KeySeal& operator=(const KeySeal&) = default;

  // As text. `about` is bound to it: what was sealed about one thing is not unsealed about another.
  std::string seal(std::string_view secret, std::string_view about) const;
  Result<std::string> unseal(std::string_view sealed, std::string_view about) const;

 private:
  using Key = std::array<uint8_t, 32>;
  explicit KeySeal(const Key& key) : key_(key) {}
  Key key_;
};

}   // namespace proxyd::store
