#include "master/sticky_key.h"

#include <algorithm>
#include <filesystem>

#include "master/store/secret_file.h"
#include "shared/base/bytes.h"

namespace proxyd::master {

std::string StickyKey::of(const config::Document& document) {
  const bool wanted = std::any_of(document.upstreams.begin(), document.upstreams.end(),
                                  [](const auto& one) { return one.second.sticky.has_value(); });
  if (!wanted || !key_.empty()) return wanted ? key_ : "";
  std::error_code unknown;
  const auto secret = std::filesystem::exists(path_, unknown) ? store::read_secret(path_) : store::make_secret(path_);
  if (secret)
    key_ = to_base64url(*secret);
  else
    log_.error("no sticky cookies: {}", secret.error().message);
  return key_;
}

}   // namespace proxyd::master
