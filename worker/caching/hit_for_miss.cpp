#include "worker/caching/hit_for_miss.h"

namespace proxyd::caching {
namespace {

bool is_about_content(int status) { return status < 400 || status == 404 || status == 410; }

}   // namespace

Unstorable effect_of_unstorable(int status) {
  if (status >= 500) return {false, kPassAfterFailure};
  return {is_about_content(status), kPassFor};
}

}   // namespace proxyd::caching
