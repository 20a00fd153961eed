#pragma once

namespace proxyd::master {

// What something is made ready for: to serve, or only to learn whether it could. A rehearsal (?dry_run) leaves nothing
// behind: no file, no row, no series.
enum class Purpose { kServing, kRehearsal };

}   // namespace proxyd::master
