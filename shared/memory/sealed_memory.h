#pragma once

#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

namespace proxyd::memory {

// `content` in a memfd that nobody can change any more: how snapshots and large messages cross processes. The caller
// owns the descriptor. Fails when the kernel has no memory or descriptors.
Result<UniqueFd> seal_content(std::string_view name, std::string_view content);

// The content of such a memfd; refuses one that could still change, or is larger than `limit`.
Result<std::string> read_sealed(int descriptor, size_t limit);

}   // namespace proxyd::memory
