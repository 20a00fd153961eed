#pragma once

#include <nghttp2/nghttp2.h>

#include "worker/http2/memory.h"

namespace proxyd::http2 {

// `memory` as nghttp2 asks for it. Sizes are kept before each piece, because nghttp2 gives none back. What `memory`
// throws becomes null, which nghttp2 reports.
nghttp2_mem nghttp2_memory(Memory& memory);

}   // namespace proxyd::http2
